"""The files into which a batch writes its segmentations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from AIDELib.segmentation_file import SEGMENTATION_ENDING, is_segmentation_file
from AIDESegmentationLib.examination import Examination
from AIDESlicer.file_name import fileNames


def segmentationFiles(names: Sequence[str], folder: Path, taken: Iterable[str] = ()) -> list[Path]:
    """Return a file of its own for each name, on every system.

    Args:
        taken: names of files, without ending, that are not to be used.
    """
    return [folder / f"{name}{SEGMENTATION_ENDING}" for name in fileNames(names, taken)]


def besideExistingFiles(examinations: Sequence[Examination]) -> list[Examination]:
    """Return examinations that are written into the same folder, with numbered names where files exist there."""
    folder = examinations[0].output.parent
    taken = [path.name[: -len(SEGMENTATION_ENDING)] for path in folder.iterdir() if is_segmentation_file(path)]
    files = segmentationFiles([one.name for one in examinations], folder, taken)
    return [replace(one, output=file) for one, file in zip(examinations, files, strict=True)]
