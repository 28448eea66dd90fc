"""Image files and DICOM folders read as float volumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.errors import VolumeError

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
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(f"{path} cannot be read as an image ({_reason(error)}). Is it complete?") from None
    dimension = min(reader.GetDimension(), 3)
    grid = sitk.Image(list(reader.GetSize()[:dimension]), sitk.sitkUInt8)
    grid.SetSpacing(reader.GetSpacing()[:dimension])
    grid.SetOrigin(reader.GetOrigin()[:dimension])
    direction = np.array(reader.GetDirection()).reshape(reader.GetDimension(), -1)[:dimension, :dimension]
    grid.SetDirection(direction.ravel().tolist())
    return grid


def split_channel(path: Path) -> tuple[Path, int | None]:
    """Return the file and the channel index of `FILE#INDEX`; the index is None where the path names a file itself."""
    name, mark, index = path.name.rpartition(CHANNEL_MARK)
    if path.exists() or not mark or not index.isdigit():
        return path, None
    return path.with_name(name), int(index)


def read_file(path: Path) -> sitk.Image:
    """Return an image file as it is stored.

    Raises:
        VolumeError: the file is missing or unreadable.
    """
    if not path.exists():
        raise VolumeError(f"There is no file {path}.")
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise VolumeError(f"{path} cannot be read as an image ({_reason(error)}). Is it complete?") from None


def read_dicom_folder(folder: Path) -> sitk.Image:
    """Return the volume of a folder that holds one DICOM series, slices in their order in space.

    Raises:
        VolumeError: the folder holds no series, several, or one that cannot be read.
    """
    try:
        return sitk.ReadImage(list(dicom_files(folder)))
    except RuntimeError as error:
        raise VolumeError(f"The DICOM series in {folder} cannot be read ({_reason(error)}).") from None


def dicom_files(folder: Path) -> tuple[str, ...]:
    """Return the files of the one DICOM series of a folder, in the order of the slices in space.

    Raises:
        VolumeError: the folder holds no series or several.
    """
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise VolumeError(f"{folder} holds no DICOM images. Name a folder with one DICOM series, or an image file.")
    if len(series) > 1:
        counts = ", ".join(
            f"{len(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid))} images in {uid}" for uid in series
        )
        raise VolumeError(
            f"{folder} holds {len(series)} DICOM series ({counts}). Put each series into a folder of its own."
        )
    return tuple(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0]))


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


def _reason(error: RuntimeError) -> str:
    """Return the last line of an ITK error, which says what happened; the lines before say where in ITK."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR:").strip().rstrip(".") if lines else "unknown reason"
