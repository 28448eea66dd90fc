"""Images as NIfTI files that hold the same voxels at the same places, or are not written at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.errors import VolumeError
from AIDELib.grid import same_grid
from AIDELib.image_header import reason

_WHOLE_NUMBERS = (np.int16, np.uint16)


def write_nifti(image: sitk.Image, path: Path) -> None:
    """Write an image of 2 to 4 dimensions, grey values as 16-bit whole numbers where they are such.

    Raises:
        VolumeError: the file cannot be written, or NIfTI cannot hold the image's position in space.
    """
    compact = _as_whole_numbers(image)
    try:
        sitk.WriteImage(compact, str(path), useCompression=True)
        written = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise VolumeError(f"{path.name} cannot be written as NIfTI ({reason(error)}).") from None
    # A full disk can cut the file short without an error of ITK's.
    if not np.array_equal(sitk.GetArrayViewFromImage(written), sitk.GetArrayViewFromImage(compact)):
        raise VolumeError(f"{path.name} was not written as it should be. Is the disk full?")
    if not same_grid(written, image):
        raise VolumeError(
            f"{path.name}: NIfTI cannot hold the axes of this image (direction {_rounded(image)}); they are not at right "
            "angles. Resample the image first, for example in 3D Slicer."
        )


def _as_whole_numbers(image: sitk.Image) -> sitk.Image:
    if image.GetPixelID() != sitk.sitkFloat32:
        return image
    values = sitk.GetArrayViewFromImage(image)
    if (values != np.rint(values)).any():
        return image
    for kind in _WHOLE_NUMBERS:
        if values.min() >= np.iinfo(kind).min and values.max() <= np.iinfo(kind).max:
            # SimpleITK itself casts no image of four dimensions.
            compact = sitk.GetImageFromArray(values.astype(kind), isVector=False)
            compact.CopyInformation(image)
            return compact
    return image


def _rounded(image: sitk.Image) -> str:
    return " ".join(f"{value:.4g}" for value in image.GetDirection())
