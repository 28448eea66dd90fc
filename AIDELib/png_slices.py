"""Labels stored as one PNG file per DICOM slice, as in the CHAOS challenge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from AIDELib.errors import VolumeError
from AIDELib.image_header import read_image_header
from AIDELib.volume import dicom_files, read_dicom_folder, read_file


def read_png_slices(folder: Path, images: Sequence[Path]) -> sitk.Image:
    """Return the label volume of a folder of PNG slices, each named like one DICOM file of one of the channels.

    Args:
        folder: PNG files; their values are kept.
        images: image paths of the case; the first folder whose DICOM files carry the names of the PNG files gives the
            order in space and the grid.

    Raises:
        VolumeError: there is no PNG, no channel has files of these names, or slices are missing, extra or of another
            size.
    """
    slices = {file.stem: file for file in sorted(folder.iterdir()) if file.suffix.lower() == ".png"}
    if not slices:
        raise VolumeError(
            f"{folder} holds no PNG files. A label is a label volume, a .seg.nrrd, or a folder of PNG slices."
        )
    dicom_folder, stems = _matching_series(folder, set(slices), images)
    missing, extra = sorted(set(stems) - set(slices)), sorted(set(slices) - set(stems))
    if missing or extra:
        raise VolumeError(
            f"{folder} does not fit the DICOM files of {dicom_folder}: "
            + "; ".join(
                f"{words} {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
                for words, names in (("no PNG for", missing), ("no DICOM file for", extra))
                if names
            )
            + ". Each PNG must have the name of its DICOM file."
        )
    volume = read_dicom_folder(dicom_folder)
    pictures = [_read_slice(slices[stem], volume.GetSize()[:2]) for stem in stems]
    labels = sitk.JoinSeries(pictures)
    labels.CopyInformation(volume)
    return labels


def _matching_series(folder: Path, names: set[str], images: Sequence[Path]) -> tuple[Path, list[str]]:
    for image in images:
        if image.is_dir():
            stems = [Path(file).stem for file in dicom_files(image)]
            if names.intersection(stems):
                return image, stems
    raise VolumeError(
        f"{folder}: none of the case's images is a DICOM folder with files of these names "
        f"({', '.join(sorted(names)[:3])} …). Each PNG must have the name of its DICOM file."
    )


def _read_slice(file: Path, size: Sequence[int]) -> sitk.Image:
    header = read_image_header(file)
    if len(header.size) != 2 or header.values_per_voxel != 1:
        raise VolumeError(f"{file} is no grey picture; save the label slices as grey PNG files.")
    if header.size != tuple(size):
        raise VolumeError(
            f"{file} has {header.size[0]} x {header.size[1]} pixels, but the DICOM images have {size[0]} x {size[1]}."
        )
    picture = read_file(file)
    picture = sitk.Cast(picture, sitk.sitkUInt16)
    picture.SetOrigin((0.0, 0.0))
    picture.SetSpacing((1.0, 1.0))
    picture.SetDirection((1.0, 0.0, 0.0, 1.0))
    return picture
