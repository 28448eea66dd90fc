"""Where the voxels of a node lie in the world, under whatever transforms the node hangs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

# Axes whose cosines reach this are those of no orthogonal grid; headers round at about 1e-6.
SHEAR_TOLERANCE = 1e-4
# Two grids this close, in voxels, are one: far above rounding, far below what moves a voxel.
SAME_GRID_TOLERANCE = 1e-3
# Points along each edge of a grid that are followed through a warp to find how far it reaches.
PROBES_PER_EDGE = 17


@dataclass(frozen=True)
class Placement:
    """The way from voxel indices to the world.

    Attributes:
        matrix: (4, 4), from voxel indices (I, J, K) to RAS coordinates in mm: the world's where `warp` is None.
        warp: from these coordinates to the world's, where a non-linear transform lies in between. It belongs to the
            placement alone, so that it can be used in any thread.
    """

    matrix: NDArray[np.float64]
    warp: vtk.vtkGeneralTransform | None = None

    @property
    def isOrthogonal(self) -> bool:
        """Whether the voxels form an orthogonal grid in the world, as image files need it."""
        if self.warp is not None:
            return False
        axes = self.matrix[:3, :3] / np.linalg.norm(self.matrix[:3, :3], axis=0)
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() < SHEAR_TOLERANCE)

    def indicesToWorld(self) -> vtk.vtkGeneralTransform:
        """Return the transform from voxel indices to the world."""
        transform = vtk.vtkGeneralTransform()
        transform.PostMultiply()
        transform.Concatenate(matrixFromArray(self.matrix))
        if self.warp is not None:
            transform.Concatenate(self.warp)
        return transform


def placementUnder(
    transformNode: slicer.vtkMRMLTransformNode | None,
    indicesToNode: NDArray[np.float64],
    space: slicer.vtkMRMLTransformNode | None = None,
) -> Placement:
    """Return the placement of a grid that lies in the coordinates of a transform node's children.

    Args:
        transformNode: the parent transform, None where there is none.
        indicesToNode: (4, 4), from voxel indices to the children's RAS coordinates.
        space: the placement is counted in the coordinates of this node's children instead of the world.
    """
    between = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(transformNode, space, between)
    linear = vtk.vtkTransform()
    if slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(between, linear):
        return Placement(arrayFromMatrix(linear.GetMatrix()) @ indicesToNode)
    warp = vtk.vtkGeneralTransform()
    warp.DeepCopy(between)
    warp.Update()
    return Placement(indicesToNode, warp)


def coveringGrid(placement: Placement, size: tuple[int, int, int]) -> tuple[Placement, tuple[int, int, int]]:
    """Return an orthogonal grid of the same spacing that covers one that may be sheared or warped, and its size.

    Args:
        size: voxels along I, J, K.
    """
    spacing = np.linalg.norm(placement.matrix[:3, :3], axis=0)
    left, _, right = np.linalg.svd(placement.matrix[:3, :3] / spacing)
    axes = left @ right
    toWorld = placement.indicesToWorld()
    edges = [np.linspace(-0.5, count - 0.5, PROBES_PER_EDGE) for count in size]
    points = np.array([toWorld.TransformPoint(point) for point in itertools.product(*edges)])
    along = (points @ axes) / spacing
    lowest, highest = along.min(axis=0), along.max(axis=0)
    # A hair beyond a voxel's border is rounding and needs no voxel more.
    counts = np.maximum(np.ceil(highest - lowest - SAME_GRID_TOLERANCE), 1).astype(int)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing
    matrix[:3, 3] = matrix[:3, :3] @ (lowest + 0.5)
    return Placement(matrix), (int(counts[0]), int(counts[1]), int(counts[2]))


def indexTransform(source: Placement, target: Placement) -> vtk.vtkAbstractTransform:
    """Return the transform from voxel indices of the source to those of the target."""
    if source.warp is None and target.warp is None:
        linear = vtk.vtkTransform()
        linear.SetMatrix(matrixFromArray(np.linalg.inv(target.matrix) @ source.matrix))
        return linear
    transform = source.indicesToWorld()
    if target.warp is not None:
        transform.Concatenate(target.warp.GetInverse())
    transform.Concatenate(matrixFromArray(np.linalg.inv(target.matrix)))
    return transform


def indexOffset(source: Placement, target: Placement) -> tuple[int, int, int] | None:
    """Return what is added to the source's voxel indices to reach the same voxels of the target.

    None where the voxels of one do not coincide with voxels of the other.
    """
    if source.warp is not None or target.warp is not None:
        return None
    between = np.linalg.inv(target.matrix) @ source.matrix
    offset = between[:3, 3].round()
    rounded = np.eye(4)
    rounded[:3, 3] = offset
    error = np.abs(between - rounded)
    # An error in the axes grows with the index.
    if error[:, :3].max() * 100 > SAME_GRID_TOLERANCE or error[:, 3].max() > SAME_GRID_TOLERANCE:
        return None
    return int(offset[0]), int(offset[1]), int(offset[2])


def matrixFromArray(array: NDArray[np.float64]) -> vtk.vtkMatrix4x4:
    """Return a (4, 4) array as VTK's matrix."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(array.ravel().tolist())
    return matrix


def arrayFromMatrix(matrix: vtk.vtkMatrix4x4) -> NDArray[np.float64]:
    """Return VTK's matrix as a (4, 4) array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
