"""Where two labels of one image differ most, for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage


@dataclass(frozen=True)
class Disagreement:
    """The largest difference of two labels.

    Attributes:
        point: a voxel centre in the middle of it, LPS, mm.
        voxels: how many voxels of the whole image differ.
    """

    point: tuple[float, float, float]
    voxels: int


def largest_disagreement(first: sitk.Image, second: sitk.Image) -> Disagreement | None:
    """Return the largest connected area in which two label maps differ, in the slice in which they differ most.

    Args:
        first, second: 3D label maps on one grid.

    Returns:
        None where they are equal.
    """
    different = sitk.GetArrayFromImage(first) != sitk.GetArrayFromImage(second)
    per_slice = different.reshape(len(different), -1).sum(axis=1)
    if not per_slice.any():
        return None
    z = int(per_slice.argmax())
    areas, _ = ndimage.label(different[z])
    largest = np.argwhere(areas == 1 + int(np.bincount(areas.ravel())[1:].argmax()))
    # The centre of a crescent lies beside it; the voxel of the area next to it does not.
    y, x = largest[np.square(largest - largest.mean(axis=0)).sum(axis=1).argmin()]
    point = first.TransformIndexToPhysicalPoint((int(x), int(y), z))
    return Disagreement((point[0], point[1], point[2]), int(per_slice.sum()))
