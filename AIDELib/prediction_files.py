"""Predictions written to files that Slicer and other programs read."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from AIDELib.atomic_file import replacing
from AIDELib.errors import SettingsError, VolumeError
from AIDELib.segmentation_file import COMPUTED_TAG, is_segmentation_file, write_segmentation
from AIDELib.structure import Structure
from AIDELib.volume import split_channel

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
    """Write one probability volume per structure and return their paths, those of `probability_files`.

    Raises:
        VolumeError: a file cannot be written.
    """
    files = probability_files(path, structures)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for image, file in zip(images, files, strict=True):
            _write(image, file)
    except (OSError, RuntimeError) as error:
        raise VolumeError(f"{path} cannot be written: {error}") from None
    return files


def probability_files(path: Path, structures: Sequence[Structure]) -> list[Path]:
    """Return where the probabilities of each structure go: `path` itself where there is only one, else NAME_STRUCTURE.

    Only letters and digits of a name are kept. Where two structures would then have one file (on some systems also if
    only small and capital letters differ), or one has no letters left, all have their number before the name.

    Raises:
        VolumeError: files with this ending cannot be written.
    """
    stem, ending = split_ending(path)
    if len(structures) == 1:
        return [path]
    names = [re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", one.name)).strip("-") for one in structures]
    if "" in names or len({name.casefold() for name in names}) < len(names):
        names = [f"{index + 1}-{name}".strip("-") for index, name in enumerate(names)]
    return [path.with_name(f"{stem}_{name}{ending}") for name in names]


def _write(image: sitk.Image, path: Path) -> None:
    if path.name.lower().endswith(".mhd"):
        # Two files that name each other cannot be renamed afterwards.
        sitk.WriteImage(image, str(path), useCompression=True)
        return
    with replacing(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)


def split_ending(path: Path) -> tuple[str, str]:
    """Return the name of a file without its ending, and the ending.

    Raises:
        VolumeError: files with this ending cannot be written.
    """
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)], path.name[-len(ending) :]
    raise VolumeError(f"{path} has none of the endings that can be written: {', '.join(ENDINGS)}.")


def require_other_files(outputs: Sequence[Path], images: Sequence[Path]) -> None:
    """Refuse results that would be written over an image or over each other, however the paths are spelled.

    Args:
        images: files, or channels of files (`FILE#INDEX`).

    Raises:
        SettingsError: two of them are the same file.
    """
    sources = {os.path.realpath(split_channel(image)[0]) for image in images}
    taken: set[str] = set()
    for output in outputs:
        file = os.path.realpath(output)
        if file in sources:
            raise SettingsError(f"{output} is one of the images; choose another file for the result.")
        if file in taken:
            raise SettingsError(f"{output} would be written over: it is the file of two results. Choose another one.")
        taken.add(file)
