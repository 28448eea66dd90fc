"""SimpleITK's grids, which count in LPS coordinates, and Slicer's, which count in RAS coordinates."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

# Turns RAS coordinates into LPS coordinates and back.
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def itkImage(array: NDArray[np.generic], indicesToWorld: NDArray[np.float64]) -> sitk.Image:
    """Return voxels (Z, Y, X) as an image in LPS coordinates.

    Args:
        indicesToWorld: (4, 4), from voxel indices to RAS coordinates; its axes are orthogonal.
    """
    image = sitk.GetImageFromArray(array)
    _place(image, indicesToWorld)
    return image


def itkGrid(size: tuple[int, int, int], indicesToWorld: NDArray[np.float64]) -> sitk.Image:
    """Return an image in LPS coordinates whose voxels mean nothing.

    Args:
        size: voxels along I, J, K.
        indicesToWorld: (4, 4), from voxel indices to RAS coordinates; its axes are orthogonal.
    """
    image = sitk.Image(list(size), sitk.sitkUInt8)
    _place(image, indicesToWorld)
    return image


def _place(image: sitk.Image, indicesToWorld: NDArray[np.float64]) -> None:
    toWorld = FLIP @ indicesToWorld
    spacing = np.linalg.norm(toWorld[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((toWorld[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(toWorld[:3, 3].tolist())


def indicesToWorldOf(image: sitk.Image) -> NDArray[np.float64]:
    """Return the (4, 4) matrix from the voxel indices of a 3D image to RAS coordinates."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return FLIP @ matrix
