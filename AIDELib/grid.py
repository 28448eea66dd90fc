"""Voxel grids: whether two are the same, whether they overlap, and images brought from one onto another."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk

# Headers round: a thousandth of a voxel is below what any format loses and far below what moves a label.
TOLERANCE_VOXELS = 1e-3


def same_grid(first: sitk.Image, second: sitk.Image) -> bool:
    """Return whether two images have the same size and their corners coincide within a thousandth of a voxel."""
    if first.GetSize() != second.GetSize():
        return False
    tolerance = TOLERANCE_VOXELS * min(first.GetSpacing())
    return bool(np.abs(_corners(first) - _corners(second)).max() <= tolerance)


def grids_overlap(first: sitk.Image, second: sitk.Image) -> bool:
    """Return whether any voxel centre of one image lies inside the other, probing a lattice of each."""
    return _any_inside(first, second) or _any_inside(second, first)


def resample_onto(image: sitk.Image, reference: sitk.Image, interpolator: int) -> sitk.Image:
    """Return `image` on the grid of `reference`, 0 where it does not reach; unchanged where the grids are the same.

    Args:
        interpolator: sitk.sitkLinear for images, sitk.sitkNearestNeighbor for labels.
    """
    if same_grid(image, reference):
        # Identical up to rounding of the header: the voxels stay bit for bit, the header becomes exactly the same.
        copied = sitk.Image(image)
        copied.CopyInformation(reference)
        return copied
    return sitk.Resample(image, reference, sitk.Transform(), interpolator, 0.0, image.GetPixelID())


def as_volume(image: sitk.Image) -> sitk.Image:
    """Return a 2D image as a volume of one slice; a volume as it is."""
    return sitk.JoinSeries([image]) if image.GetDimension() == 2 else image


def describe_grid(image: sitk.Image) -> str:
    """Return size and spacing for messages, such as '256 x 256 x 30 voxels of 1.5 x 1.5 x 5 mm'."""
    size = " x ".join(str(count) for count in image.GetSize())
    spacing = " x ".join(f"{value:.4g}" for value in image.GetSpacing())
    return f"{size} voxels of {spacing} mm"


def _corners(image: sitk.Image) -> np.ndarray:
    extremes = [(0, size - 1) for size in image.GetSize()]
    return np.array([image.TransformIndexToPhysicalPoint(corner) for corner in itertools.product(*extremes)])


def _any_inside(probed: sitk.Image, other: sitk.Image) -> bool:
    axes = [np.unique(np.linspace(0, size - 1, 17).round().astype(int)).tolist() for size in probed.GetSize()]
    lattice = itertools.product(*axes)
    upper = np.array(other.GetSize()) - 0.5
    inverse = np.linalg.inv(np.array(other.GetDirection()).reshape(len(upper), -1) * np.array(other.GetSpacing()))
    points = np.array([probed.TransformIndexToPhysicalPoint(index) for index in lattice])
    indices = (points - np.array(other.GetOrigin())) @ inverse.T
    return bool(((indices >= -0.5) & (indices <= upper)).all(axis=1).any())
