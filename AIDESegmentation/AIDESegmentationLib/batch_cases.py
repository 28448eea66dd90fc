"""The patients of a batch: volumes of the scene, or image files of a folder, grouped by examination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import slicer
from slicer import vtkMRMLScalarVolumeNode

from AIDELib.errors import VolumeError
from AIDELib.readers.channel_files import are_numbered, group_channels
from AIDELib.readers.image_names import images_in
from AIDELib.segmentation_file import is_segmentation_file
from AIDESegmentationLib.channel_matching import channelInName
from AIDESlicer.patient_nodes import greyVolumes
from AIDESlicer.volume_groups import groupVolumes


@dataclass(frozen=True)
class BatchCase:
    """One patient's images.

    Attributes:
        name: of the patient or the file.
        images: one per channel of the model; None for one that was not found.
    """

    name: str
    images: tuple[vtkMRMLScalarVolumeNode | Path | None, ...]

    @property
    def isComplete(self) -> bool:
        """Whether an image was found for each channel."""
        return None not in self.images


def casesOfScene(channels: Sequence[str]) -> list[BatchCase]:
    """Return the cases of the scene.

    For a model with one channel each volume is a case. For several channels see `groupVolumes`; a case gets the name of
    its study, where there is one.
    """
    volumes = greyVolumes()
    if len(channels) == 1:
        return [BatchCase(volume.GetName(), (volume,)) for volume in volumes]
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    groups = groupVolumes(volumes, len(channels), lambda name: channelInName(name, channels))
    examinations = Counter(group.study for group in groups)
    cases = []
    for group in groups:
        study = hierarchy.GetItemName(group.study) if group.study else ""
        name = f"{study} {group.name}" if study and examinations[group.study] > 1 else study or group.name
        cases.append(BatchCase(name, tuple(group.volumes)))
    return cases


def _mayBeSeries(path: Path) -> bool:
    try:
        return path.is_dir() and not path.name.startswith(".") and not images_in(path) and any(path.iterdir())
    except OSError:
        # Folders of the system, at the root of a drive for one, may not be read.
        return False


def casesOfFolder(folder: Path, channels: Sequence[str]) -> list[BatchCase]:
    """Return the cases of a folder: one image file each, or files NAME_0000, NAME_0001 … for several channels.

    A subfolder without image files is taken for one DICOM series of a model with one channel. Label files in the folder
    (`.seg.nrrd`) are left out.

    Raises:
        VolumeError: the folder does not exist, cannot be read or holds no images.
    """
    if not folder.is_dir():
        raise VolumeError(f"There is no folder {folder}. Choose the folder that holds the images.")
    try:
        images = {name: path for name, path in images_in(folder).items() if not is_segmentation_file(path)}
    except OSError as error:
        raise VolumeError(f"The folder {folder} cannot be read ({error.strerror}). Choose another one.") from None
    if len(channels) > 1 or are_numbered(images):
        grouped = group_channels(images, len(channels)) if images else {}
        cases = [BatchCase(name, paths) for name, paths in grouped.items()]
    else:
        cases = [BatchCase(name, (path,)) for name, path in images.items()]
        cases += [BatchCase(path.name, (path,)) for path in sorted(folder.iterdir()) if _mayBeSeries(path)]
    if not cases:
        raise VolumeError(
            f"{folder} holds no images (.nii.gz, .nrrd, .mha, or a subfolder per DICOM series). Choose another folder."
        )
    return cases
