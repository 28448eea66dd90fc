"""Image files and DICOM folders read as float volumes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.dicom_lengths import require_honest_lengths
from AIDELib.dicom_stack import require_even_stack
from AIDELib.errors import VolumeError
from AIDELib.gzip_check import require_whole
from AIDELib.image_header import ImageHeader, read_image_header, reason
from AIDELib.memory import available_memory, describe_bytes

# Written behind a file name to name one of the channels of a 4D file: "image.nii.gz#1"; counted from 0.
CHANNEL_MARK = "#"


def read_image(path: Path) -> sitk.Image:
    """Return the image of a file, of a folder with one DICOM series, or of one channel of a 4D file (`FILE#INDEX`).

    Returns:
        2D or 3D, float32, in the stored intensity units.

    Raises:
        VolumeError: the file cannot be read, is not a 2D or 3D grey image, or has non-finite voxels.
    """
    file, channel = split_channel(path)
    image = read_dicom_folder(file) if file.is_dir() else read_file(file)
    if channel is not None:
        image = _select_channel(image, channel, path)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise VolumeError(
            f"{path} has {image.GetNumberOfComponentsPerPixel()} values per voxel (a colour or vector image); "
            "convert it to a grey image."
        )
    if image.GetDimension() not in (2, 3):
        raise VolumeError(
            f"{path} is {image.GetDimension()}-dimensional; give a 2D image or a 3D volume, or name one of its channels "
            f"as '{file.name}{CHANNEL_MARK}0'."
        )
    image = sitk.Cast(image, sitk.sitkFloat32)
    _require_finite(image, path)
    return image


def read_grid(path: Path) -> sitk.Image:
    """Return an image on the grid of a file or DICOM folder whose voxels mean nothing; files give their header only.

    Raises:
        VolumeError: the file cannot be read.
    """
    file, _ = split_channel(path)
    if file.is_dir():
        return read_dicom_folder(file)
    header = read_image_header(file)
    dimension = min(len(header.size), 3)
    grid = sitk.Image(list(header.size[:dimension]), sitk.sitkUInt8)
    grid.SetSpacing(header.spacing[:dimension])
    grid.SetOrigin(header.origin[:dimension])
    direction = np.array(header.direction).reshape(len(header.size), -1)[:dimension, :dimension]
    grid.SetDirection(direction.ravel().tolist())
    return grid


def split_channel(path: Path) -> tuple[Path, int | None]:
    """Return the file and the channel index of `FILE#INDEX`; the index is None where the path names a file itself."""
    name, mark, index = path.name.rpartition(CHANNEL_MARK)
    if os.path.exists(path) or not mark or not index.isdigit():
        return path, None
    return path.with_name(name), int(index)


def read_file(path: Path) -> sitk.Image:
    """Return an image file as it is stored.

    Raises:
        VolumeError: the file is missing, unreadable or cut off, or claims more than it or the memory has room for.
    """
    header = read_image_header(path)
    require_whole(path, header.data_bytes)
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise VolumeError(f"{path} cannot be read as an image ({reason(error)}). Is it complete?") from None


def read_dicom_folder(folder: Path) -> sitk.Image:
    """Return the volume of a folder that holds one DICOM series, slices in their order in space.

    Raises:
        VolumeError: the folder holds no series, several, or one that cannot be read or is no evenly spaced stack.
    """
    files = dicom_files(folder)
    require_even_stack([Path(file) for file in files])
    first = read_image_header(Path(files[0]))
    _require_memory_for(first, len(files), folder)
    try:
        return sitk.ReadImage(list(files))
    except RuntimeError as error:
        raise VolumeError(f"The DICOM series in {folder} cannot be read ({reason(error)}).") from None


def dicom_files(folder: Path) -> tuple[str, ...]:
    """Return the files of the one DICOM series of a folder, in the order of the slices in space.

    Raises:
        VolumeError: the folder holds no series or several.
    """
    for file in sorted(folder.iterdir()):
        if file.is_file():
            require_honest_lengths(file)
    try:
        series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
        files_of = {uid: sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid) for uid in series}
    except RuntimeError as error:
        raise VolumeError(
            f"{folder} holds a DICOM file that cannot be read ({reason(error)}). Is one of its images damaged?"
        ) from None
    if not series:
        raise VolumeError(f"{folder} holds no DICOM images. Name a folder with one DICOM series, or an image file.")
    if len(series) > 1:
        counts = ", ".join(f"{len(files)} images in {uid}" for uid, files in files_of.items())
        raise VolumeError(
            f"{folder} holds {len(series)} DICOM series ({counts}). Put each series into a folder of its own."
        )
    files = tuple(files_of[series[0]])
    if not files:
        raise VolumeError(f"{folder} holds no DICOM images that can be read. Are they complete?")
    return files


def _require_memory_for(first: ImageHeader, count: int, folder: Path) -> None:
    """Refuse a series of so many images like the first where the memory is not enough."""
    needed, available = 4 * first.data_bytes * count, available_memory()
    if available is not None and needed > available:
        raise VolumeError(
            f"The DICOM series in {folder} takes about {describe_bytes(needed)} of memory, and "
            f"{describe_bytes(available)} are available."
        )


def _select_channel(image: sitk.Image, channel: int, path: Path) -> sitk.Image:
    count = image.GetSize()[3] if image.GetDimension() == 4 else image.GetNumberOfComponentsPerPixel()
    if channel >= count:
        raise VolumeError(f"{path} names channel {channel}, but the file has {count} (counted from 0).")
    if image.GetDimension() == 4:
        size = [*image.GetSize()[:3], 0]
        return sitk.Extract(image, size, [0, 0, 0, channel])
    return sitk.VectorIndexSelectionCast(image, channel) if count > 1 else image


def _require_finite(image: sitk.Image, path: Path) -> None:
    bad = int(np.count_nonzero(~np.isfinite(sitk.GetArrayViewFromImage(image))))
    if bad:
        raise VolumeError(
            f"{path} has {bad} voxels that are not finite numbers (NaN or infinity); "
            "replace them, for example by 0, and save the image again."
        )
