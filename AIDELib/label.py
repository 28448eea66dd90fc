"""Labels read as index maps: 0 background, i + 1 = structure i, on the grid of the case's images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.dicom_segmentation import dicom_segmentation_in, read_dicom_segmentation
from AIDELib.errors import VolumeError
from AIDELib.grid import as_volume, describe_grid, grids_overlap, resample_onto
from AIDELib.png_slices import read_png_slices
from AIDELib.segmentation_file import SegmentationFile, is_segmentation_file, read_segmentation
from AIDELib.structure import Structure
from AIDELib.volume import read_file


def read_label(
    path: Path, structures: Sequence[Structure], reference: sitk.Image, images: Sequence[Path]
) -> sitk.Image:
    """Return the label map of a case.

    Args:
        path: a label volume, a `.seg.nrrd`, a DICOM segmentation or a folder that holds nothing else, or a folder of PNG
            slices named like the DICOM files of a channel.
        structures: the dataset's structures.
        reference: the first channel, for its grid.
        images: the case's image paths, one per channel; PNG slices are matched with the DICOM files in these, and DICOM
            segmentations must share their frame of reference.

    Returns:
        uint8, on the grid of `reference`.

    Raises:
        VolumeError: the label cannot be read, lies elsewhere, or holds none of the structures' values.
    """
    if is_segmentation_file(path):
        labels = _from_segmentation(read_segmentation(path), structures, path)
    elif (dicom_file := dicom_segmentation_in(path)) is not None:
        labels = _from_segmentation(read_dicom_segmentation(dicom_file, images), structures, path)
    elif path.is_dir():
        labels = _from_values(read_png_slices(path, images), structures, path)
    else:
        labels = _from_values(read_file(path), structures, path)
    if reference.GetDimension() == 2:
        return _onto(labels, as_volume(reference), path)[:, :, 0]
    return _onto(labels, reference, path)


def _onto(labels: sitk.Image, reference: sitk.Image, path: Path) -> sitk.Image:
    labels = as_volume(labels)
    if not grids_overlap(labels, reference):
        raise VolumeError(
            f"{path} ({describe_grid(labels)}) lies nowhere on the image ({describe_grid(reference)}): their positions in "
            "space do not overlap. Is it the label of another image, or was its origin lost?"
        )
    brought = resample_onto(labels, reference, sitk.sitkNearestNeighbor)
    if sitk.GetArrayViewFromImage(labels).any() and not sitk.GetArrayViewFromImage(brought).any():
        raise VolumeError(
            f"{path} ({describe_grid(labels)}) labels nothing within the image ({describe_grid(reference)}): all that is "
            "drawn lies beside it. Is it the label of another image, or was its position or spacing lost?"
        )
    return brought


def _from_values(image: sitk.Image, structures: Sequence[Structure], path: Path) -> sitk.Image:
    if image.GetNumberOfComponentsPerPixel() != 1 or image.GetDimension() not in (2, 3):
        raise VolumeError(f"{path} is no label volume: it must be 2D or 3D with one value per voxel.")
    values = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(values).all():
        raise VolumeError(f"{path} has label values that are not finite numbers; save the label anew.")
    broken = values[values != np.rint(values)]
    if broken.size:
        raise VolumeError(
            f"{path} has label values that are no whole numbers ({broken.flat[0]:g} for one). Is it an image, or was the "
            "label interpolated? Save it with whole numbers."
        )
    labels = np.zeros(values.shape, np.uint8)
    for index, structure in enumerate(structures):
        labels[np.isin(values, structure.values)] = index + 1
    if not labels.any() and values.any():
        raise VolumeError(_no_listed_value(path, values, structures))
    return _image_like(labels, image)


def _no_listed_value(path: Path, values: NDArray[np.generic], structures: Sequence[Structure]) -> str:
    found = np.unique(values[values != 0])
    shown = ", ".join(f"{value:g}" for value in found[:10]) + (" …" if len(found) > 10 else "")
    expected = "; ".join(f"{structure.name}: {', '.join(map(str, structure.values))}" for structure in structures)
    return (
        f"{path} holds none of the label values of the dataset's structures ({expected}); it holds {shown}. "
        "Correct the values of the structures, or name another label."
    )


def _from_segmentation(file: SegmentationFile, structures: Sequence[Structure], path: Path) -> sitk.Image:
    # Segments are numbered in their order in each file, so that only names mean the same in two files.
    chosen = [
        [segment for segment in file.segments if segment.name.casefold() == structure.name.casefold()]
        for structure in structures
    ]
    if not any(chosen):
        chosen = [
            [segment for segment in file.segments if segment.label_value in structure.values]
            for structure in structures
        ]
    if not any(chosen):
        raise VolumeError(
            f"{path} has the segments {', '.join(segment.name for segment in file.segments)}, none of which is one of the "
            f"dataset's structures ({', '.join(structure.name for structure in structures)}). Rename one or the other."
        )
    labels = np.zeros(file.layers.shape[1:], np.uint8)
    for index, segments in enumerate(chosen):
        for segment in segments:
            labels[file.mask(segment)] = index + 1
    return _image_like(labels, file.grid)


def _image_like(labels: NDArray[np.uint8], grid: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(grid)
    return image
