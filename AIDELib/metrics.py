"""Overlap, volume and surface distances of a prediction and a reference (paper, Methods, "Evaluation metrics")."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Metrics:
    """How far a prediction agrees with a reference.

    Attributes:
        dsc: Dice similarity coefficient, 0 to 1.
        ravd: relative absolute volume difference, 0 to infinity; NaN where the reference alone is empty.
        assd: average symmetric surface distance in mm; NaN where one of both is empty.
        mssd: maximum symmetric surface distance in mm; NaN where one of both is empty.
    """

    dsc: float
    ravd: float
    assd: float
    mssd: float


def measure(prediction: Mask, reference: Mask, spacing: Sequence[float]) -> Metrics:
    """Return all metrics of two masks.

    Args:
        prediction, reference: boolean, 2D or 3D, of one shape.
        spacing: voxel size in mm along each array axis.
    """
    distances = surface_distances(prediction, reference, spacing)
    return Metrics(
        dice(prediction, reference),
        relative_absolute_volume_difference(prediction, reference),
        average_symmetric_surface_distance(*distances),
        maximum_symmetric_surface_distance(*distances),
    )


def dice(prediction: Mask, reference: Mask) -> float:
    """Return 2 TP / (2 TP + FP + FN); 1 where both masks are empty."""
    total = int(prediction.sum()) + int(reference.sum())
    return 2 * int((prediction & reference).sum()) / total if total else 1.0


def relative_absolute_volume_difference(prediction: Mask, reference: Mask) -> float:
    """Return |V_prediction - V_reference| / V_reference; 0 where both are empty, NaN where the reference alone is."""
    predicted, expected = int(prediction.sum()), int(reference.sum())
    if expected == 0:
        return 0.0 if predicted == 0 else math.nan
    return abs(predicted - expected) / expected


def average_symmetric_surface_distance(to_reference: NDArray[np.float64], to_prediction: NDArray[np.float64]) -> float:
    """Return the mean of the distances of both surfaces, as `surface_distances` gives them."""
    distances = np.concatenate([to_reference, to_prediction])
    return float(distances.mean()) if len(distances) else 0.0


def maximum_symmetric_surface_distance(to_reference: NDArray[np.float64], to_prediction: NDArray[np.float64]) -> float:
    """Return the maximum of the distances of both surfaces, as `surface_distances` gives them."""
    distances = np.concatenate([to_reference, to_prediction])
    return float(distances.max()) if len(distances) else 0.0


def surface_distances(
    prediction: Mask, reference: Mask, spacing: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances in mm from each surface voxel of one mask to the surface of the other.

    A surface voxel is one with a face towards the background or the image's border. Axes along which there is only one
    voxel do not count: a volume of one slice is measured as the 2D image that it is.

    Args:
        prediction, reference: boolean, of one shape.
        spacing: voxel size in mm along each array axis.

    Returns:
        Distances of the prediction's surface voxels and of the reference's; both empty where both masks are empty, NaN
        where one alone is.
    """
    if not prediction.any() or not reference.any():
        unknown = np.full(int(prediction.any() or reference.any()), math.nan)
        return unknown, unknown
    axes = _axes_with_extent(prediction.shape)
    prediction, reference = (mask.reshape([mask.shape[axis] for axis in axes]) for mask in (prediction, reference))
    spacing = [spacing[axis] for axis in axes]
    box = _bounding_box(prediction | reference)
    prediction_surface, reference_surface = _surface(prediction[box]), _surface(reference[box])
    return (
        _distance_map(reference_surface, spacing)[prediction_surface],
        _distance_map(prediction_surface, spacing)[reference_surface],
    )


def _axes_with_extent(shape: Sequence[int]) -> list[int]:
    # Of a single voxel one axis stays: an array without any has no distances.
    return [axis for axis, size in enumerate(shape) if size > 1] or [0]


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    return ndimage.find_objects(mask.astype(np.uint8))[0]


def _surface(mask: Mask) -> Mask:
    return mask & ~ndimage.binary_erosion(mask)


def _distance_map(surface: Mask, spacing: Sequence[float]) -> NDArray[np.float64]:
    return ndimage.distance_transform_edt(~surface, sampling=tuple(spacing))
