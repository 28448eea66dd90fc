"""Volumes to stacks of slices on a common in-plane grid, and predictions back onto the volume's own grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.errors import SettingsError
from AIDELib.grid import as_volume
from AIDELib.padding import padded_size
from AIDELib.settings import Normalization, SlicePlane


class SliceOrientation(str, Enum):
    """The anatomical plane of the slices."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


# Voxels whose edges differ by no more than this factor count as cubes.
MOST_UNEQUAL_EDGES = 1.5
# Across fewer slices the deepest level of a network sees its own border alone.
FEWEST_SLICES = 16
# Of a slice that is fewer pixels high or wide, half of what a network's first level looks at is its border.
FEWEST_PIXELS = 8
# In this order: the plane of most atlases first.
_SECOND_PLANES = (SliceOrientation.AXIAL, SliceOrientation.SAGITTAL, SliceOrientation.CORONAL)

# Axes of an LPS-oriented image in the order in-plane x, in-plane y, across the slices.
_AXES = {
    SliceOrientation.AXIAL: (0, 1, 2),
    SliceOrientation.CORONAL: (0, 2, 1),
    SliceOrientation.SAGITTAL: (1, 2, 0),
}


@dataclass(frozen=True)
class SlicePlan:
    """How the volumes of a dataset are cut.

    Attributes:
        orientation: the plane of the slices.
        spacing: in-plane pixel size (x, y) in mm that every volume is resampled to.
        normalization: what the z-score of the intensities is computed over.
        size: (H, W) in pixels that every slice is padded to at least: that of the largest training slice. Networks use what
            they see around a slice; they are to see as much of it in a smaller one as in training.
    """

    orientation: SliceOrientation
    spacing: tuple[float, float]
    normalization: Normalization
    size: tuple[int, int]


def choose_slice_plan(
    images: Iterable[sitk.Image],
    slice_size: int,
    normalization: Normalization,
    plane: SlicePlane = SlicePlane.AUTO,
) -> SlicePlan:
    """Return the plan for a training set: in the wanted plane, at the median in-plane spacing.

    The spacing is coarser where the largest image would otherwise exceed `slice_size` pixels, by the same factor in both
    directions so that nothing is distorted.

    Args:
        images: the first channel of each training case, 2D or 3D, for its grid alone.
        slice_size: largest slice edge in pixels.
        plane: AUTO is across the axis that is the thickest in most cases.

    Raises:
        SettingsError: an image of a single slice does not lie in the wanted plane.
    """
    grids = [(oriented.GetSpacing(), oriented.GetSize()) for oriented in map(_orient, images)]
    orientation = _most_common_plane(grids) if plane is SlicePlane.AUTO else _wanted_plane(plane, grids)
    axes = list(_AXES[orientation][:2])
    spacings = np.array([spacing for spacing, _ in grids])[:, axes]
    extents = spacings * np.array([size for _, size in grids])[:, axes]
    spacing = np.median(spacings, axis=0)
    spacing = spacing * max(1.0, float((extents / spacing).max()) / slice_size)
    columns, rows = (int(edge) for edge in _pixels(extents.max(axis=0), spacing))
    size = padded_size((rows, columns), (1, 1))
    return SlicePlan(orientation, (float(spacing[0]), float(spacing[1])), normalization, size)


def choose_second_plan(images: Iterable[sitk.Image], slice_size: int, first: SlicePlan) -> SlicePlan | None:
    """Return the plan that shows the same volumes in another plane; None where that would show less.

    That is where voxels are no cubes, or volumes so flat that they have fewer slices across than the networks look at.

    Args:
        images: as for `choose_slice_plan`.
        slice_size: largest slice edge in pixels.
        first: the plan of the first plane.
    """
    images = list(images)
    grids = [(oriented.GetSpacing(), oriented.GetSize()) for oriented in map(_orient, images)]
    edges = np.median([spacing for spacing, _ in grids], axis=0)
    if edges.max() > MOST_UNEQUAL_EDGES * edges.min() or min(min(size) for _, size in grids) < FEWEST_SLICES:
        return None
    other = next(plane for plane in _SECOND_PLANES if plane is not first.orientation)
    return choose_slice_plan(images, slice_size, first.normalization, SlicePlane(other.value))


def is_too_flat(image: sitk.Image, plan: SlicePlan) -> bool:
    """Return whether the slices that a plan cuts of an image are too few voxels high or wide to show anything."""
    size = _orient(_geometry_of(image)).GetSize()
    return min(size[axis] for axis in _AXES[plan.orientation][:2]) < FEWEST_PIXELS


def turned(stack: NDArray[Any], plan: SlicePlan, wanted: SlicePlan, shape: tuple[int, int, int]) -> NDArray[Any]:
    """Return a stack of slices as it is cut in another plane, each voxel the nearest one's value.

    Args:
        stack: (..., Z, H, W), as the plan cuts it.
        shape: (Z', H', W') of the same volume as the wanted plan cuts it.

    Returns:
        (..., Z', H', W')
    """
    axes = _AXES[plan.orientation][::-1]
    order = [axes.index(axis) - 3 for axis in _AXES[wanted.orientation][::-1]]
    leading = list(range(stack.ndim - 3))
    result = np.transpose(stack, [*leading, *(stack.ndim + axis for axis in order)])
    for axis, count in zip((-3, -2, -1), shape, strict=True):
        if result.shape[axis] != count:
            result = np.take(result, _nearest(count, result.shape[axis]), axis=axis)
    return np.ascontiguousarray(result)


def _nearest(count: int, available: int) -> NDArray[np.int_]:
    """Return for each of `count` pixels along an edge the nearest of `available` ones along the same edge.

    Of two as near it is the one that lies nearer to the middle of the edge, so that nothing moves to one side.
    """
    centres = (2 * np.arange(count) + 1) * available
    nearest = centres // (2 * count)
    tied = (centres % (2 * count) == 0) & (np.arange(count) >= count / 2)
    return np.where(tied, nearest - 1, nearest)


def slice_count(grid: sitk.Image, plan: SlicePlan) -> int:
    """Return the number of slices of a volume; only its grid is looked at."""
    return _slice_grid(grid, plan).GetSize()[2]


def slice_distance(grid: sitk.Image, plan: SlicePlan) -> float:
    """Return the distance in mm between the slices that an image gives."""
    return float(_slice_grid(grid, plan).GetSpacing()[2])


def cut_image(image: sitk.Image, plan: SlicePlan) -> NDArray[np.float32]:
    """Return the slices of one channel, z-scored.

    Returns:
        (Z, H, W) float32; H and W are those of the volume at the plan's spacing. A slice (or volume) of one grey value
        is all 0.
    """
    grid = _slice_grid(image, plan)
    smoothed = _without_detail_finer_than(_as_float(as_volume(image)), grid)
    slices = sitk.GetArrayFromImage(sitk.Resample(smoothed, grid, sitk.Transform(), sitk.sitkLinear, 0.0))
    axes = (1, 2) if plan.normalization is Normalization.SLICE else (0, 1, 2)
    deviation = slices.std(axis=axes, keepdims=True)
    centred = slices - slices.mean(axis=axes, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-6)


def cut_labels(labels: sitk.Image, plan: SlicePlan) -> NDArray[np.uint8]:
    """Return the slices (Z, H, W) of a label map, each pixel with the nearest voxel's label."""
    grid = _slice_grid(labels, plan)
    return sitk.GetArrayFromImage(sitk.Resample(as_volume(labels), grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0))


def assemble(slices: NDArray[np.float32], image: sitk.Image, plan: SlicePlan) -> sitk.Image:
    """Return slices as an image on the grid of the volume that they were cut from.

    Args:
        slices: (Z, H, W), as `cut_image` of `image` gives them.
        image: the volume, 2D or 3D, for its grid alone.

    Returns:
        An image with the size, spacing, origin and direction of `image`, interpolated linearly.
    """
    stack = sitk.GetImageFromArray(slices)
    stack.CopyInformation(_slice_grid(image, plan))
    volume = sitk.Resample(stack, as_volume(image), sitk.Transform(), sitk.sitkLinear, 0.0)
    if image.GetDimension() == 2:
        volume = volume[:, :, 0]
    volume.CopyInformation(image)
    return volume


def assemble_labels(slices: NDArray[np.uint8], image: sitk.Image, plan: SlicePlan, class_count: int) -> sitk.Image:
    """Return label slices (Z, H, W) as a uint8 label map on the grid of `image`.

    Each class is interpolated linearly and the largest wins, which keeps outlines smooth where the grids differ.
    """
    scores = [
        sitk.GetArrayFromImage(assemble((slices == index).astype(np.float32), image, plan))
        for index in range(class_count)
    ]
    labels = sitk.GetImageFromArray(np.argmax(scores, axis=0).astype(np.uint8))
    labels.CopyInformation(image)
    return labels


def _most_common_plane(grids: Sequence[tuple[Sequence[float], Sequence[int]]]) -> SliceOrientation:
    votes = Counter(_thickest_plane(spacing, size) for spacing, size in grids)
    return max(SliceOrientation, key=lambda plane: votes[plane])


def _wanted_plane(plane: SlicePlane, grids: Sequence[tuple[Sequence[float], Sequence[int]]]) -> SliceOrientation:
    orientation = SliceOrientation(plane.value)
    for spacing, size in grids:
        if 1 in size and size[_AXES[orientation][2]] > 1:
            raise SettingsError(
                f"slice_plane is {plane.value}, but an image of {' x '.join(map(str, size))} voxels is a single "
                f"{_thickest_plane(spacing, size).value} slice; choose auto."
            )
    return orientation


def _thickest_plane(spacing: Sequence[float], size: Sequence[int]) -> SliceOrientation:
    """A single-voxel axis counts as the thickest; among equals the first plane of the enumeration is taken."""

    def thickness(plane: SliceOrientation) -> tuple[bool, float]:
        axis = _AXES[plane][2]
        return size[axis] == 1, round(spacing[axis], 3)

    return max(SliceOrientation, key=thickness)


def _pixels(extents: NDArray[np.float64], spacing: NDArray[np.float64]) -> NDArray[np.int_]:
    return np.maximum(1, np.round(extents / spacing)).astype(int)


def _slice_grid(image: sitk.Image, plan: SlicePlan) -> sitk.Image:
    """Return an empty image on the grid of the slices: same outer borders in plane, same planes."""
    permuted = sitk.PermuteAxes(_orient(_geometry_of(image)), _AXES[plan.orientation])
    spacing = np.array([*plan.spacing, permuted.GetSpacing()[2]])
    old_size, old_spacing = np.array(permuted.GetSize()), np.array(permuted.GetSpacing())
    size = _pixels(old_size * old_spacing, spacing)
    size[2] = old_size[2]
    # Both grids share the centre of the volume, so that neither side is favoured by the rounding of the size.
    centre = (old_size - 1) / 2
    shift = (size - 1) / 2 * spacing / old_spacing
    origin = permuted.TransformContinuousIndexToPhysicalPoint([float(value) for value in centre - shift])
    grid = sitk.Image([int(value) for value in size], sitk.sitkUInt8)
    grid.SetSpacing([float(value) for value in spacing])
    grid.SetOrigin(origin)
    grid.SetDirection(permuted.GetDirection())
    return grid


def _geometry_of(image: sitk.Image) -> sitk.Image:
    geometry = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    geometry.CopyInformation(image)
    return as_volume(geometry)


def _orient(image: sitk.Image) -> sitk.Image:
    return sitk.DICOMOrient(as_volume(image), "LPS")


def _as_float(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image, sitk.sitkFloat32)


def _without_detail_finer_than(image: sitk.Image, grid: sitk.Image) -> sitk.Image:
    """Smooth along the axes that are resampled more coarsely, which would otherwise alias."""
    own_axes = np.abs(np.array(image.GetDirection()).reshape(3, 3))
    grid_axes = np.abs(np.array(grid.GetDirection()).reshape(3, 3))
    matching = np.argmax(own_axes.T @ grid_axes, axis=1)
    for axis, spacing in enumerate(image.GetSpacing()):
        ratio = grid.GetSpacing()[int(matching[axis])] / spacing
        # A Gaussian of this width brings the sampling kernel of the fine grid to that of the coarse one
        # (variance of a box: width^2 / 12).
        variance = (ratio**2 - 1) / 12
        if variance > 0.05 and image.GetSize()[axis] >= 4:
            sigma = float(np.sqrt(variance) * spacing)
            image = sitk.RecursiveGaussian(image, sigma, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, axis)
    return image
