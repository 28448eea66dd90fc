"""Predictions written to files that Slicer and other programs read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from AIDELib.atomic_file import replacing
from AIDELib.errors import VolumeError
from AIDELib.segmentation_file import COMPUTED_TAG, is_segmentation_file, write_segmentation
from AIDELib.structure import Structure

ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written, before anything long is computed for it.

    Raises:
        VolumeError: the ending is unknown or the path is a folder.
    """
    split_ending(path)
    if path.is_dir():
        raise VolumeError(f"{path} is a folder; name a file in it, for example {path / 'mask.seg.nrrd'}.")


def write_labels(labels: sitk.Image, structures: Sequence[Structure], path: Path) -> None:
    """Write a label map (0 background, i + 1 = structure i).

    A `.seg.nrrd` carries names and colours, and that a model drew it; in a label volume each structure has the first of its
    own label values.

    Raises:
        VolumeError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_segmentation_file(path):
            write_segmentation(labels, structures, path, {COMPUTED_TAG: "1"})
            return
        # In 32 bits, because a structure's value can be larger than the index.
        values = {index + 1: structure.values[0] for index, structure in enumerate(structures)}
        largest = max(values.values())
        mapped = sitk.ChangeLabel(sitk.Cast(labels, sitk.sitkUInt8 if largest < 256 else sitk.sitkUInt32), values)
        _write(mapped, path)
    except (OSError, RuntimeError) as error:
        raise VolumeError(f"{path} cannot be written: {error}") from None


def write_probabilities(images: Sequence[sitk.Image], structures: Sequence[Structure], path: Path) -> list[Path]:
    """Write one probability volume per structure and return their paths: `path` itself where there is only one.

    Raises:
        VolumeError: a file cannot be written.
    """
    files = [path] if len(images) == 1 else [_named_after(path, structure) for structure in structures]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for image, file in zip(images, files, strict=True):
            _write(image, file)
    except (OSError, RuntimeError) as error:
        raise VolumeError(f"{path} cannot be written: {error}") from None
    return files


def _write(image: sitk.Image, path: Path) -> None:
    if path.name.lower().endswith(".mhd"):
        # Two files that name each other cannot be renamed afterwards.
        sitk.WriteImage(image, str(path), useCompression=True)
        return
    with replacing(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)


def _named_after(path: Path, structure: Structure) -> Path:
    stem, ending = split_ending(path)
    return path.with_name(f"{stem}_{re.sub(r'[^0-9A-Za-z]+', '-', structure.name).strip('-')}{ending}")


def split_ending(path: Path) -> tuple[str, str]:
    """Return the name of a file without its ending, and the ending.

    Raises:
        VolumeError: files with this ending cannot be written.
    """
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)], path.name[-len(ending) :]
    raise VolumeError(f"{path} has none of the endings that can be written: {', '.join(ENDINGS)}.")
