"""The images and the label of a case, read and brought onto one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.dataset import Dataset
from AIDELib.errors import VolumeError
from AIDELib.grid import describe_grid, grids_overlap, resample_onto
from AIDELib.label import read_label
from AIDELib.volume import read_image


@dataclass(frozen=True)
class CaseVolumes:
    """A case in memory.

    Attributes:
        case: the case.
        channels: float32 images, all on the grid of the first.
        label: uint8 label map on the same grid, None without label.
    """

    case: Case
    channels: tuple[sitk.Image, ...]
    label: sitk.Image | None


def read_case(case: Case, dataset: Dataset) -> CaseVolumes:
    """Read a case's images and label.

    Raises:
        VolumeError: a file cannot be used; the message names the case and the file.
    """
    try:
        channels = read_channels(case.images, dataset.channels)
        label = None if case.label is None else read_label(case.label, dataset.structures, channels[0], case.images)
    except VolumeError as error:
        raise VolumeError(f"Case '{case.id}': {error}") from None
    return CaseVolumes(case, channels, label)


def read_channels(paths: Sequence[Path], names: Sequence[str]) -> tuple[sitk.Image, ...]:
    """Read one image per channel and bring them onto the grid of the first.

    Raises:
        VolumeError: there are too few or too many images, one cannot be read, or lies elsewhere than the first.
    """
    if len(paths) != len(names):
        raise VolumeError(
            f"{len(paths)} image(s) given, but {len(names)} are needed, in this order: {', '.join(names)}."
        )
    first, *others = (read_image(path) for path in paths)
    return first, *(
        _onto_first(image, path, name, first, paths[0])
        for image, path, name in zip(others, paths[1:], names[1:], strict=True)
    )


def _onto_first(image: sitk.Image, path: Path, name: str, first: sitk.Image, first_path: Path) -> sitk.Image:
    if image.GetDimension() != first.GetDimension():
        raise VolumeError(
            f"channel {name}: {path} is {image.GetDimension()}D, but the first channel {first_path} is "
            f"{first.GetDimension()}D."
        )
    if not grids_overlap(image, first):
        raise VolumeError(
            f"channel {name}: {path} ({describe_grid(image)}) and the first channel {first_path} "
            f"({describe_grid(first)}) do not overlap in space. Are they images of the same examination?"
        )
    return resample_onto(image, first, sitk.sitkLinear)
