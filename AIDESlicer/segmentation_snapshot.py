"""The segments of a segmentation node, taken at once, to be worked on in a thread that touches no node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from numpy.typing import NDArray

from AIDELib.errors import VolumeError
from AIDESlicer.index_image import arrayFromImage, indexImage, startOffset
from AIDESlicer.itk_grid import indicesToWorldOf, itkImage
from AIDESlicer.label_grid import labelsOnGrid
from AIDESlicer.placement import Placement, arrayFromMatrix, indexTransform, placementUnder


@dataclass(frozen=True)
class VoxelSegment:
    """A segment stored as a binary labelmap.

    Attributes:
        layer: the image that holds it, maybe with others, in voxel indices counted from 0.
        value: of its voxels in the layer.
        placement: from voxel indices of the layer to the world.
    """

    layer: vtk.vtkImageData
    value: int
    placement: Placement


@dataclass(frozen=True)
class SurfaceSegment:
    """A segment stored as a closed surface.

    Attributes:
        surface: in the coordinates that the matrix of `placement` starts from.
        placement: from these to the world.
    """

    surface: vtk.vtkPolyData
    placement: Placement


@dataclass(frozen=True)
class SegmentationSnapshot:
    """Segments as they were.

    Attributes:
        name: the node's.
        segments: one entry per name asked for; None where the node has no such segment or it is empty.
    """

    name: str
    segments: tuple[VoxelSegment | SurfaceSegment | None, ...]

    def labelsOn(self, grid: sitk.Image) -> sitk.Image:
        """Return a label map on the grid of an image in the world (LPS).

        Value i + 1 is the i-th segment, 0 none. Where segments overlap, the later one of the given order wins. Exactly
        the segment's voxels where those of both grids coincide, else the nearest ones; a closed surface fills the voxels
        whose centres it encloses.

        Args:
            grid: 3D.

        Returns:
            uint8; uint16 for more than 255 segments.
        """
        indicesToWorld = indicesToWorldOf(grid)
        target, size = Placement(indicesToWorld), grid.GetSize()
        labels = np.zeros(size[::-1], np.uint8 if len(self.segments) < 256 else np.uint16)
        layers: dict[int, NDArray[np.generic]] = {}
        for index, segment in enumerate(self.segments):
            if isinstance(segment, VoxelSegment):
                # Segments often share a layer, which then needs to be brought onto the grid only once.
                key = id(segment.layer)
                if key not in layers:
                    layers[key] = labelsOnGrid(arrayFromImage(segment.layer), segment.placement, target, size)
                labels[layers[key] == segment.value] = index + 1
            elif isinstance(segment, SurfaceSegment):
                labels[_filled(segment, target, size)] = index + 1
        return itkImage(labels, indicesToWorld)


def snapshotOfSegments(
    segmentationNode: slicer.vtkMRMLSegmentationNode, segmentNames: Sequence[str]
) -> SegmentationSnapshot:
    """Return a snapshot of the segments of these names; the node stays as it is. Takes no time, whatever the size.

    Names are compared without regard to case. The snapshot reads the segmentation's source representation.

    Raises:
        VolumeError: the node has none of these segments, or its source is neither a binary labelmap nor a closed surface.
    """
    segmentation = segmentationNode.GetSegmentation()
    found = [segmentIdByName(segmentation, name) for name in segmentNames]
    if not any(found):
        ids = segmentation.GetSegmentIDs()
        present = ", ".join(segmentation.GetSegment(identifier).GetName() for identifier in ids) or "none"
        raise VolumeError(
            f"Segmentation '{segmentationNode.GetName()}' has none of the segments {', '.join(segmentNames)}; its segments "
            f"are: {present}. Rename its segments or choose another segmentation."
        )
    layers: dict[object, vtk.vtkImageData] = {}
    parent = segmentationNode.GetParentTransformNode()
    segments = tuple(
        _snapshot(segmentationNode, segmentation.GetSegment(identifier), parent, layers) if identifier else None
        for identifier in found
    )
    return SegmentationSnapshot(segmentationNode.GetName(), segments)


def segmentIdByName(segmentation: slicer.vtkSegmentation, name: str) -> str:
    """Return the ID of the first segment of that name, the exact one before one that differs in case; "" for none."""
    names = {identifier: segmentation.GetSegment(identifier).GetName() for identifier in segmentation.GetSegmentIDs()}
    for identifier, present in names.items():
        if present == name:
            return identifier
    for identifier, present in names.items():
        if present.casefold() == name.casefold():
            return identifier
    return ""


def _snapshot(
    node: slicer.vtkMRMLSegmentationNode,
    segment: slicer.vtkSegment,
    parent: slicer.vtkMRMLTransformNode | None,
    layers: dict[object, vtk.vtkImageData],
) -> VoxelSegment | SurfaceSegment | None:
    source = node.GetSegmentation().GetSourceRepresentationName()
    representation = segment.GetRepresentation(source)
    if isinstance(representation, slicer.vtkOrientedImageData):
        if representation.IsEmpty() or representation.GetPointData().GetScalars() is None:
            return None
        if representation not in layers:
            layers[representation] = indexImage(representation)
        matrix = vtk.vtkMatrix4x4()
        representation.GetImageToWorldMatrix(matrix)
        placement = placementUnder(parent, arrayFromMatrix(matrix) @ startOffset(representation))
        return VoxelSegment(layers[representation], segment.GetLabelValue(), placement)
    if isinstance(representation, vtk.vtkPolyData):
        if representation.GetNumberOfPolys() + representation.GetNumberOfStrips() == 0:
            return None
        surface = vtk.vtkPolyData()
        surface.ShallowCopy(representation)
        return SurfaceSegment(surface, placementUnder(parent, np.eye(4)))
    if representation is None:
        return None
    raise VolumeError(
        f"Segmentation '{node.GetName()}' is stored as '{source}'. In the module Segmentations, make 'Binary labelmap' its "
        "source representation."
    )


def _filled(segment: SurfaceSegment, target: Placement, size: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return the voxels (Z, Y, X) whose centres lie within a closed surface."""
    toIndices = vtk.vtkTransformPolyDataFilter()
    toIndices.SetInputData(segment.surface)
    toIndices.SetTransform(indexTransform(segment.placement, target))
    toStencil = vtk.vtkPolyDataToImageStencil()
    toStencil.SetInputConnection(toIndices.GetOutputPort())
    toStencil.SetOutputSpacing(1, 1, 1)
    toStencil.SetOutputOrigin(0, 0, 0)
    toStencil.SetOutputWholeExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    toImage = vtk.vtkImageStencilToImage()
    toImage.SetInputConnection(toStencil.GetOutputPort())
    toImage.SetInsideValue(1)
    toImage.SetOutputScalarTypeToUnsignedChar()
    toImage.Update()
    return arrayFromImage(toImage.GetOutput()) > 0
