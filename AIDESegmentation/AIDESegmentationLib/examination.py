"""What is segmented, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import SimpleITK as sitk
from numpy import generic
from numpy.typing import NDArray
from slicer import vtkMRMLScalarVolumeNode

from AIDELib.errors import VolumeError
from AIDELib.structure import Structure
from AIDESlicer.volume_snapshot import VolumeSnapshot


@dataclass(frozen=True)
class Examination:
    """The images of one patient's visit, to be segmented together.

    Attributes:
        name: shown to the user.
        images: one volume of the scene, or file, per channel of the model, in its order.
        output: file for the segmentation; None where it is wanted in the scene alone.
        inScene: whether the segmentation is added to the scene.
        segmentationId: ID of the segmentation node that receives it; "" for a new one.
        probabilities: whether probability volumes are wanted too, beside `output` and in the scene.
    """

    name: str
    images: tuple[vtkMRMLScalarVolumeNode | Path, ...]
    output: Path | None = None
    inScene: bool = True
    segmentationId: str = ""
    probabilities: bool = False


@dataclass(frozen=True)
class Segmented:
    """The result of one examination.

    Attributes:
        examination: what was segmented.
        file: the segmentation's file; temporary where the examination names no output.
        structures: what the model segments.
        volumesMl: volume of each structure in mL, by its name.
        labels: (Z, Y, X) on the first image's own grid, i + 1 = structure i; None where it is not wanted in the scene.
        volumeNode: the first image's node; None where it comes from a file or is not wanted in the scene.
        volumeRead: the first image as read from its file, for the scene; None where it is there already or not wanted.
        probabilities: of each structure in the world (LPS), 0 to 1, by its name; empty where not wanted in the scene.
    """

    examination: Examination
    file: Path
    structures: tuple[Structure, ...]
    volumesMl: Mapping[str, float]
    labels: NDArray[generic] | None = None
    volumeNode: vtkMRMLScalarVolumeNode | None = None
    volumeRead: VolumeSnapshot | None = None
    probabilities: Mapping[str, sitk.Image] = field(default_factory=dict)


def checkExaminations(examinations: Sequence[Examination], channels: Sequence[str]) -> None:
    """Refuse examinations that a model cannot segment.

    Raises:
        VolumeError: there are none, one lacks a channel, or one volume is given for two channels.
    """
    if not examinations:
        raise VolumeError("There is nothing to segment; choose at least one volume.")
    for examination in examinations:
        missing = [
            channel
            for index, channel in enumerate(channels)
            if index >= len(examination.images) or examination.images[index] is None
        ]
        if missing:
            raise VolumeError(
                f"'{examination.name}' has no volume for {', '.join(missing)}; the model needs {', '.join(channels)}. "
                "Choose one for each."
            )
        if len({str(image) for image in examination.images}) < len(examination.images):
            raise VolumeError(
                f"'{examination.name}' has the same volume for two channels; the model needs a different one for each of "
                f"{', '.join(channels)}."
            )


def uniqueNames(examinations: Sequence[Examination]) -> list[str]:
    """Return the names of examinations, with numbers where several have the same."""
    names: list[str] = []
    for examination in examinations:
        name, number = examination.name, 2
        while name in names:
            name = f"{examination.name} ({number})"
            number += 1
        names.append(name)
    return names
