"""Nodes written to files for AIDELib, in one call. In a panel, take the snapshots and write them in a worker thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk
import slicer

from AIDELib.atomic_file import replacing
from AIDELib.errors import VolumeError
from AIDELib.segmentation_file import is_segmentation_file, write_segmentation
from AIDELib.structure import Structure
from AIDESlicer.segmentation_snapshot import snapshotOfSegments
from AIDESlicer.volume_snapshot import snapshotOfVolume


def writeLabels(labels: sitk.Image, structures: Sequence[Structure], path: Path) -> None:
    """Write a label map (0 background, i + 1 = structure i), all of the file or nothing.

    A `.seg.nrrd` carries the names and colours of the structures; any other ending gives a plain label volume.

    Raises:
        VolumeError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_segmentation_file(path):
            write_segmentation(labels, structures, path)
            return
        with replacing(path) as temporary:
            sitk.WriteImage(labels, str(temporary), useCompression=True)
    except (OSError, RuntimeError) as error:
        raise VolumeError(f"The segments cannot be written to {path}: {error}") from None


def exportVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode, path: Path) -> None:
    """Write a volume in the world with all its transforms applied. The node stays as it is.

    Raises:
        VolumeError: it is no grey volume, or the file cannot be written.
    """
    snapshotOfVolume(volumeNode).write(path)


def exportSegments(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    structures: Sequence[Structure],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    path: Path,
) -> None:
    """Write the segments that have the structures' names on the grid that `exportVolume` gives the volume.

    Value i + 1 is structure i; where segments overlap, the later structure wins.

    Raises:
        VolumeError: the segmentation has none of the structures, or the file cannot be written.
    """
    segments = snapshotOfSegments(segmentationNode, [structure.name for structure in structures])
    writeLabels(segments.labelsOn(snapshotOfVolume(volumeNode).worldImage()), structures, path)
