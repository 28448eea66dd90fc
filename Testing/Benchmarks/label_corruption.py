"""Errors in labels as people make them, at three severities."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[np.uint8]


class Corruption(str, Enum):
    """What goes wrong when people draw outlines slice by slice."""

    DILATION = "dilation"
    EROSION = "erosion"
    SHIFT = "shift"
    WARP = "warp"
    MISSING_SLICES = "missing slices"


class Severity(Enum):
    """How far a corrupted outline lies off, as a share of the radius of the structures' largest slice."""

    MILD = 0.12
    MODERATE = 0.25
    SEVERE = 0.35


def corrupt(labels: Labels, corruption: Corruption, severity: Severity, generator: np.random.Generator) -> Labels:
    """Return a corrupted copy of a label map.

    Args:
        labels: (Z, H, W), people draw in the planes H x W; 0 background, i + 1 = structure i.
        generator: of the random direction, warp or choice of slices.

    Returns:
        (Z, H, W). Where dilated structures meet, each pixel goes to the nearer one; a map without labels stays as it is.
    """
    areas = (labels > 0).sum(axis=(1, 2))
    if not areas.any():
        return labels.copy()
    if corruption is Corruption.MISSING_SLICES:
        return _without_slices(labels, 1.5 * severity.value, generator)
    # Never below one pixel: an outline cannot be off by less and still differ.
    distance = max(1.0, severity.value * math.sqrt(areas.max() / math.pi))
    if corruption is Corruption.DILATION:
        return np.stack([_dilated(plane, distance) for plane in labels])
    if corruption is Corruption.EROSION:
        return np.stack([_eroded(plane, distance) for plane in labels])
    if corruption is Corruption.SHIFT:
        return _shifted(labels, distance, generator)
    return _warped(labels, distance, generator)


def _dilated(plane: Labels, distance: float) -> Labels:
    if not plane.any():
        return plane.copy()
    distances, nearest = ndimage.distance_transform_edt(plane == 0, return_indices=True)
    return np.where(distances <= distance, plane[tuple(nearest)], 0).astype(np.uint8)


def _eroded(plane: Labels, distance: float) -> Labels:
    framed = np.pad(plane > 0, 1)
    return np.where(ndimage.distance_transform_edt(framed)[1:-1, 1:-1] > distance, plane, 0).astype(np.uint8)


def _shifted(labels: Labels, distance: float, generator: np.random.Generator) -> Labels:
    angle = generator.uniform(0, 2 * math.pi)
    offset = (0, distance * math.sin(angle), distance * math.cos(angle))
    return ndimage.shift(labels, offset, order=0, mode="constant", cval=0)


def _warped(labels: Labels, distance: float, generator: np.random.Generator) -> Labels:
    """Move each slice along a smooth random field whose largest step is 3 times the distance."""
    smoothness = 3 * distance
    field = np.stack(
        [ndimage.gaussian_filter(generator.standard_normal(labels.shape), (1, smoothness, smoothness)) for _ in "yx"]
    )
    length = np.sqrt((field**2).sum(axis=0)).max()
    field *= 3 * distance / max(length, 1e-9)
    z, y, x = np.indices(labels.shape)
    return ndimage.map_coordinates(labels, [z, y + field[0], x + field[1]], order=0, mode="constant", cval=0)


def _without_slices(labels: Labels, share: float, generator: np.random.Generator) -> Labels:
    occupied = np.flatnonzero(labels.any(axis=(1, 2)))
    left_out = generator.choice(occupied, size=max(1, round(share * len(occupied))), replace=False)
    corrupted = labels.copy()
    corrupted[left_out] = 0
    return corrupted
