"""Two segmentations measured against each other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from slicer import vtkMRMLSegmentationNode

from AIDELib.errors import VolumeError
from AIDELib.structure import Structure
from AIDESlicer.background_process import processEnvironment, pythonExecutable
from AIDESlicer.background_query import askNow
from AIDESlicer.node_export import writeLabels
from AIDESlicer.segment_structure import structuresOfSegmentation
from AIDESlicer.segmentation_snapshot import SegmentationSnapshot, snapshotOfSegments
from AIDESlicer.temporary_folder import removeAbandonedFolders, temporaryFolder
from AIDESlicer.volume_snapshot import VolumeSnapshot, snapshotOfVolume

Metrics = Mapping[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """What is compared, taken from the nodes, for a thread that touches none.

    Attributes:
        structures: the segments that both have.
        segmentation, reference: one snapshot per structure, so that segments may overlap.
        volume: on whose grid they are compared.
        folder: for temporary files; removed in the end.
        program, environment: what measures.
    """

    structures: tuple[Structure, ...]
    segmentation: SegmentationSnapshot
    reference: SegmentationSnapshot
    volume: VolumeSnapshot
    folder: Path
    program: str
    environment: Mapping[str, str]


def prepareComparison(segmentation: vtkMRMLSegmentationNode, reference: vtkMRMLSegmentationNode) -> Comparison:
    """Return a comparison of the segments that have the same name in both.

    Raises:
        VolumeError: there are none, or neither segmentation knows its volume.
        RunError: there is no place for temporary files.
    """
    if segmentation is reference:
        raise VolumeError("A segmentation is the same as itself; choose another one as reference.")
    known = {structure.name.casefold() for structure in structuresOfSegmentation(reference)}
    shared = [one for one in structuresOfSegmentation(segmentation) if one.name.casefold() in known]
    if not shared:
        raise VolumeError(
            f"'{segmentation.GetName()}' and '{reference.GetName()}' have no segment of the same name "
            f"({_names(segmentation)}; {_names(reference)}). Rename the segments that mean the same."
        )
    role = reference.GetReferenceImageGeometryReferenceRole()
    volumeNode = reference.GetNodeReference(role) or segmentation.GetNodeReference(role)
    if volumeNode is None:
        raise VolumeError(
            f"It is not known on which volume '{reference.GetName()}' was drawn. Set it in the Segment Editor as the source "
            "volume."
        )
    names = [structure.name for structure in shared]
    return Comparison(
        tuple(shared),
        snapshotOfSegments(segmentation, names),
        snapshotOfSegments(reference, names),
        snapshotOfVolume(volumeNode),
        temporaryFolder("comparison"),
        pythonExecutable(),
        processEnvironment(),
    )


def compareFiles(comparison: Comparison) -> dict[str, Metrics]:
    """Write both segmentations, measure them in a process of its own and return the metrics by segment name.

    Touches no node.

    Raises:
        AIDEError: the files cannot be written or measured.
    """
    removeAbandonedFolders(comparison.folder.parent)
    try:
        grid = comparison.volume.worldImage()
        if _overlap(comparison.segmentation, grid) or _overlap(comparison.reference, grid):
            # A label map holds one structure per voxel, so that overlapping ones are measured one by one.
            groups = [[index] for index in range(len(comparison.structures))]
        else:
            groups = [list(range(len(comparison.structures)))]
        metrics: dict[str, Metrics] = {}
        for group in groups:
            metrics |= _measure(comparison, group, grid)
        return {structure.name: metrics.get(structure.name, {}) for structure in comparison.structures}
    finally:
        shutil.rmtree(comparison.folder, ignore_errors=True)


def _measure(comparison: Comparison, group: list[int], grid: sitk.Image) -> dict[str, Metrics]:
    structures = [comparison.structures[index] for index in group]
    files = []
    for title, snapshot in (("segmentation", comparison.segmentation), ("reference", comparison.reference)):
        part = SegmentationSnapshot(snapshot.name, tuple(snapshot.segments[index] for index in group))
        files.append(comparison.folder / f"{title}.seg.nrrd")
        writeLabels(part.labelsOn(grid), structures, files[-1])
    return askNow(
        ["measure", *(os.fspath(file) for file in files), "--json"], comparison.program, dict(comparison.environment)
    )


def _overlap(snapshot: SegmentationSnapshot, grid: sitk.Image) -> bool:
    """Return whether a voxel belongs to two segments."""
    covered = np.zeros(grid.GetSize()[::-1], bool)
    for segment in snapshot.segments:
        mask = sitk.GetArrayViewFromImage(SegmentationSnapshot(snapshot.name, (segment,)).labelsOn(grid)) > 0
        if (covered & mask).any():
            return True
        covered |= mask
    return False


def _names(node: vtkMRMLSegmentationNode) -> str:
    return ", ".join(structure.name for structure in structuresOfSegmentation(node)) or "no segments"
