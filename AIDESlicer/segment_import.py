"""Label maps brought into the scene as segments that can be edited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
from numpy.typing import NDArray

from AIDELib.errors import VolumeError
from AIDELib.grid import as_volume, describe_grid
from AIDELib.structure import Structure
from AIDELib.volume import read_file
from AIDESlicer.index_image import arrayFromImage, imageFromArray
from AIDESlicer.label_grid import labelsOnGrid
from AIDESlicer.own_nodes import markAsComputed
from AIDESlicer.placement import coveringGrid, matrixFromArray
from AIDESlicer.segment_editor_undo import saveStateForUndo
from AIDESlicer.segmentation_snapshot import segmentIdByName
from AIDESlicer.volume_snapshot import VolumeSnapshot, snapshotOfVolume, volumePlacement


def importSegments(
    labelFile: Path,
    structures: Sequence[Structure],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
    name: str = "",
) -> slicer.vtkMRMLSegmentationNode:
    """Add the labels of a file (0 background, i + 1 = structure i; in the world) to the scene, in one call.

    See `addSegments`. In a panel, read with `readLabelsOnVolume` in a worker thread and call `addSegments` afterwards.
    """
    labels = readLabelsOnVolume(labelFile, snapshotOfVolume(volumeNode))
    return addSegments(labels, structures, volumeNode, segmentationNode, name)


def readLabelsOnVolume(labelFile: Path, volume: VolumeSnapshot) -> NDArray[np.generic]:
    """Return the labels of a file, which lie in the world, as voxels (Z, Y, X) of a volume. Touches no node.

    Raises:
        VolumeError: the file cannot be read or holds no label map.
    """
    image = as_volume(read_file(labelFile))
    if image.GetNumberOfComponentsPerPixel() != 1 or image.GetDimension() != 3:
        raise VolumeError(f"{labelFile} is no label volume ({describe_grid(image)}); it must have one value per voxel.")
    return volume.labelsFromWorld(image)


def addSegments(
    labels: NDArray[np.generic],
    structures: Sequence[Structure],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
    name: str = "",
) -> slicer.vtkMRMLSegmentationNode:
    """Add labels on a volume's voxels to the scene as segments, one per structure; on any error the scene is as before.

    A new segmentation gets the volume's geometry, parent transform and place in the subject hierarchy. In an existing
    one, segments with the structures' names are replaced and keep their colour and terminology; others stay as they
    are, and so does the parent transform. Every segment written has the status "in progress" and is marked as computed.

    Args:
        labels: (Z, Y, X) on the volume's own grid, 0 background, i + 1 = structure i.
        segmentationNode: the existing segmentation; None for a new one.
        name: of a new segmentation.

    Raises:
        VolumeError: the labels do not fit the volume, or the segmentation holds no voxels but surfaces.
    """
    _check(labels, structures, volumeNode)
    if segmentationNode is None:
        with _newSegmentation(volumeNode, name) as created:
            _write(labels, structures, volumeNode, created)
        return created
    _requireVoxels(segmentationNode)
    with _restoredOnError(segmentationNode):
        _write(labels, structures, volumeNode, segmentationNode)
    return segmentationNode


def _check(
    labels: NDArray[np.generic], structures: Sequence[Structure], volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> None:
    volume = snapshotOfVolume(volumeNode)
    if labels.shape != volume.size[::-1]:
        raise VolumeError(
            f"The labels have {' x '.join(map(str, labels.shape[::-1]))} voxels, but volume '{volume.name}' has "
            f"{' x '.join(map(str, volume.size))}. Was it changed meanwhile? Segment it again."
        )
    largest = int(labels.max(initial=0))
    if largest > len(structures):
        raise VolumeError(f"The labels hold the value {largest}, but there are only {len(structures)} structures.")


@contextmanager
def _newSegmentation(volumeNode: slicer.vtkMRMLScalarVolumeNode, name: str) -> Iterator[slicer.vtkMRMLSegmentationNode]:
    scene = volumeNode.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name or scene.GenerateUniqueName("Segmentation"))
    try:
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        volumeItem, nodeItem = hierarchy.GetItemByDataNode(volumeNode), hierarchy.GetItemByDataNode(node)
        if volumeItem and nodeItem:
            hierarchy.SetItemParent(nodeItem, hierarchy.GetItemParent(volumeItem))
        yield node
    except BaseException:
        for index in range(node.GetNumberOfDisplayNodes()):
            scene.RemoveNode(node.GetNthDisplayNode(index))
        scene.RemoveNode(node)
        raise


def _requireVoxels(node: slicer.vtkMRMLSegmentationNode) -> None:
    segmentation = node.GetSegmentation()
    voxels = slicer.vtkSegmentationConverter.GetBinaryLabelmapRepresentationName()
    if segmentation.GetNumberOfSegments() and segmentation.GetSourceRepresentationName() != voxels:
        raise VolumeError(
            f"Segmentation '{node.GetName()}' is stored as '{segmentation.GetSourceRepresentationName()}' and takes no "
            "voxels. Choose a new segmentation as output, or make 'Binary labelmap' its source in the module Segmentations."
        )


@contextmanager
def _restoredOnError(node: slicer.vtkMRMLSegmentationNode) -> Iterator[None]:
    saveStateForUndo(node)
    segmentation = node.GetSegmentation()
    history = slicer.vtkSegmentationHistory()
    history.SetSegmentation(segmentation)
    history.SaveState()
    source = segmentation.GetSourceRepresentationName()
    try:
        yield
    except BaseException:
        history.RestorePreviousState()
        segmentation.SetSourceRepresentationName(source)
        raise
    finally:
        history.SetSegmentation(None)


def _write(
    labels: NDArray[np.generic],
    structures: Sequence[Structure],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    node: slicer.vtkMRMLSegmentationNode,
) -> None:
    # All structures share one image, as segments that do not overlap do in Slicer.
    layer = _orientedLabels(labels, volumeNode, node)
    segmentation = node.GetSegmentation()
    names = slicer.vtkSegmentationConverter
    voxels, surface = names.GetBinaryLabelmapRepresentationName(), names.GetClosedSurfaceRepresentationName()
    if not segmentation.GetNumberOfSegments():
        segmentation.SetSourceRepresentationName(voxels)
    isShownIn3D = segmentation.ContainsRepresentation(surface)
    identifiers = [segmentIdByName(segmentation, structure.name) for structure in structures]
    modified = node.StartModify()
    try:
        _eraseFromLayers(segmentation, [identifier for identifier in identifiers if identifier], voxels)
        for index, (structure, identifier) in enumerate(zip(structures, identifiers, strict=True)):
            segment = segmentation.GetSegment(identifier) if identifier else _newSegment(structure)
            segment.RemoveRepresentation(surface)
            segment.SetLabelValue(index + 1)
            segment.AddRepresentation(voxels, layer)
            setInProgress(segment)
            markAsComputed(segment)
            if not identifier and not segmentation.AddSegment(segment):
                raise VolumeError(f"Slicer cannot add a segment '{structure.name}'; its log says why.")
        if isShownIn3D:
            segmentation.CreateRepresentation(surface)
    finally:
        node.EndModify(modified)


def setInProgress(segment: slicer.vtkSegment) -> None:
    """Mark a segment as one that a person has not finished yet."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetSegmentStatus(segment, logic.InProgress)


def _newSegment(structure: Structure) -> slicer.vtkSegment:
    segment = slicer.vtkSegment()
    segment.SetName(structure.name)
    segment.SetColor(*(part / 255 for part in structure.color))
    if structure.terminology:
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), structure.terminology)
    return segment


def _eraseFromLayers(segmentation: slicer.vtkSegmentation, replaced: Sequence[str], voxels: str) -> None:
    """Remove the voxels of segments that are replaced from images that they share with others."""
    values: dict[slicer.vtkOrientedImageData, list[int]] = {}
    for identifier in replaced:
        segment = segmentation.GetSegment(identifier)
        layer = segment.GetRepresentation(voxels)
        if layer is not None and not layer.IsEmpty():
            values.setdefault(layer, []).append(segment.GetLabelValue())
    for identifier in segmentation.GetSegmentIDs():
        layer = segmentation.GetSegment(identifier).GetRepresentation(voxels)
        if identifier not in replaced and layer in values:
            # The image of the segments that stay does not change for them, so that nothing needs to be told of it.
            array = arrayFromImage(layer)
            array[np.isin(array, values.pop(layer))] = 0


def _orientedLabels(
    labels: NDArray[np.generic],
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> slicer.vtkOrientedImageData:
    """Return the labels in the segmentation's own coordinates, cropped to what is not background."""
    grid = volumePlacement(volumeNode, segmentationNode.GetParentTransformNode())
    if not grid.isOrthogonal:
        covering, size = coveringGrid(grid, labels.shape[::-1])
        labels = labelsOnGrid(labels, grid, covering, size)
        grid = covering
    box = _boundingBox(labels)
    cropped = imageFromArray(labels[box])
    z, y, x = (part.start for part in box)
    depth, height, width = (part.stop - 1 for part in box)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(x, width, y, height, z, depth)
    image.GetPointData().SetScalars(cropped.GetPointData().GetScalars())
    image.SetGeometryFromImageToWorldMatrix(matrixFromArray(grid.matrix))
    return image


def _boundingBox(labels: NDArray[np.generic]) -> tuple[slice, slice, slice]:
    """Return the smallest box with all labels; the first voxel where there are none."""
    box = []
    for others in ((1, 2), (0, 2), (0, 1)):
        filled = np.flatnonzero(labels.any(axis=others))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, 1))
    return box[0], box[1], box[2]
