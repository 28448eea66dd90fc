"""DICOM segmentations (DICOM-SEG): read with highdicom, which is only needed for them.

Encoding: DICOM PS3.3, A.51 (Segmentation) and A.108 (Label Map Segmentation).
"""

from __future__ import annotations

import importlib.util
import math
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.dicom_lengths import require_honest_lengths
from AIDELib.errors import VolumeError
from AIDELib.image_header import STRONGEST_COMPRESSION
from AIDELib.memory import available_memory, describe_bytes
from AIDELib.segmentation_file import MOST_SEGMENTS, Segment, SegmentationFile
from AIDELib.volume import split_channel

_SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_STORAGE_CLASS_TAG = b"\x02\x00\x02\x00UI"
# Group 0002 stands at the beginning and is short.
_META_BYTES = 4096
# Of a voxel in the arrays that highdicom and the label are read into.
_WORKING_BYTES = 8
_FRACTION = 0.5


def dicom_segmentation_in(path: Path) -> Path | None:
    """Return the DICOM segmentation that a path names: the file itself, or the only file of a folder; None if it is none."""
    if path.is_dir():
        files = [file for file in path.iterdir() if not file.name.startswith(".")]
        return dicom_segmentation_in(files[0]) if len(files) == 1 and files[0].is_file() else None
    return path if path.is_file() and _storage_class(path) in _SEGMENTATION_CLASSES else None


def read_dicom_segmentation(path: Path, images: Sequence[Path] = ()) -> SegmentationFile:
    """Read a DICOM segmentation; its segments keep their labels as names and their numbers as label values.

    Where frames are missing, nothing is segmented. A frame is as thick as its SliceThickness says. Fractional segments
    count where the fraction is at least one half. Segments that overlap come in layers of their own.

    Args:
        images: the case's images; those in DICOM must share the segmentation's frame of reference.

    Raises:
        VolumeError: highdicom is not installed, the file cannot be read, its frames are no evenly spaced stack, it takes
            more memory than there is, or belongs to another frame of reference.
    """
    if importlib.util.find_spec("highdicom") is None:
        raise VolumeError(
            f"{path} is a DICOM segmentation, which needs the Python package highdicom: pip install highdicom. Or save it "
            "from 3D Slicer as .seg.nrrd."
        )
    require_honest_lengths(path)
    with warnings.catch_warnings():
        # About values that are unusual but do no harm.
        warnings.simplefilter("ignore")
        try:
            return _read(path, images)
        except VolumeError:
            raise
        except Exception as error:
            # Whatever a damaged file makes the libraries stumble over, they do not foresee.
            raise VolumeError(
                f"{path} cannot be read as a DICOM segmentation ({type(error).__name__}: {str(error)[:200]}). Is it "
                "complete?"
            ) from None


def _read(path: Path, images: Sequence[Path]) -> SegmentationFile:
    import highdicom

    _require_sense(path, images)
    file = highdicom.seg.segread(path)
    numbers = list(file.segment_numbers)
    geometry = file.get_volume_geometry()
    if geometry is None:
        raise VolumeError(
            f"{path}: its frames are no stack of parallel, evenly spaced slices at known positions. Save it "
            "from 3D Slicer as .seg.nrrd, if Slicer shows it rightly."
        )
    slices = _slices_per_frame(file, geometry)
    shape = (int(geometry.spatial_shape[0]) * slices, *map(int, geometry.spatial_shape[1:]))
    _require_memory(math.prod(shape) * _WORKING_BYTES, path)
    layers, layer_of = _layers(file, numbers, path)
    spread = np.zeros((len(layers), *shape), layers[0].dtype)
    for index, layer in enumerate(layers):
        spread[index, ::slices] = layer
    segments = tuple(
        Segment(str(file.get_segment_description(number).segment_label), number, layer_of[number]) for number in numbers
    )
    return SegmentationFile(_grid(geometry.affine, shape, slices, _thickness(file)), spread, segments)


def _layers(file: Any, numbers: Sequence[int], path: Path) -> tuple[list[NDArray[Any]], dict[int, int]]:
    """Return volumes (Z, Y, X) of segment numbers, and in which of them each segment stands."""
    if file.SegmentationType != "FRACTIONAL":
        try:
            return [file.get_volume(combine_segments=True).array], dict.fromkeys(numbers, 0)
        except RuntimeError:  # they overlap
            pass
    layers: list[NDArray[Any]] = []
    layer_of = {}
    for number in numbers:
        mask = file.get_volume(segment_numbers=[number]).array[..., 0] >= _FRACTION
        free = next((index for index, layer in enumerate(layers) if not (layer[mask] != 0).any()), len(layers))
        if free == len(layers):
            _require_memory(mask.size * _WORKING_BYTES, path)
            layers.append(np.zeros(mask.shape, np.uint16))
        layers[free][mask] = number
        layer_of[number] = free
    return layers, layer_of


def _slices_per_frame(file: Any, geometry: Any) -> int:
    """Return how many of the thin slices that frames are made of lie between two frames: 1 but where frames were left out.

    The distance of the frames is the smallest that occurs, which is more than a slice if every other one is empty.
    """
    thickness = _thickness(file)
    spacing = float(geometry.spacing[0])
    if thickness is None or int(geometry.spatial_shape[0]) == 1:
        return 1
    return max(1, round(spacing / thickness))


def _thickness(file: Any) -> float | None:
    shared = file.SharedFunctionalGroupsSequence[0]
    measures = shared.get("PixelMeasuresSequence") or [{}]
    thickness = measures[0].get("SliceThickness")
    return float(thickness) if thickness is not None and 0 < float(thickness) < 1e6 else None


def _grid(affine: NDArray[np.float64], shape: Sequence[int], slices: int, thickness: float | None) -> sitk.Image:
    """Return an image on the grid of a volume whose affine goes from (slice, row, column) to LPS in mm."""
    axes = affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(axes, axis=0)
    direction = axes / spacing
    spacing[2] /= slices
    if shape[0] == 1 and thickness is not None:
        spacing[2] = thickness
    grid = sitk.Image(list(reversed(shape)), sitk.sitkUInt8)
    grid.SetOrigin(affine[:3, 3].tolist())
    grid.SetSpacing(spacing.tolist())
    grid.SetDirection(direction.ravel().tolist())
    return grid


def _require_sense(path: Path, images: Sequence[Path]) -> None:
    """Refuse a file by its header alone, before anything makes room for what it claims."""
    import pydicom

    header = pydicom.dcmread(path, stop_before_pixels=True)
    if "TotalPixelMatrixRows" in header:
        raise VolumeError(f"{path} is a segmentation of a microscopy slide, which cannot be used here.")
    _require_same_frame_of_reference(str(header.get("FrameOfReferenceUID", "")), path, images)
    segments = len(header.get("SegmentSequence") or [])
    if not 1 <= segments <= MOST_SEGMENTS:
        raise VolumeError(f"{path} describes {segments} segments; 1 to {MOST_SEGMENTS} can be read.")
    rows, columns, frames = int(header.Rows), int(header.Columns), int(header.get("NumberOfFrames", 1))
    described = len(header.get("PerFrameFunctionalGroupsSequence") or [])
    if frames != described or min(rows, columns, frames) < 1:
        raise VolumeError(
            f"{path} claims to hold {frames} frames of {columns} x {rows} pixels and describes {described}. Is it complete?"
        )
    stored = path.stat().st_size
    is_packed = header.file_meta.TransferSyntaxUID.is_encapsulated
    if rows * columns * frames * int(header.BitsAllocated) / 8 > stored * (STRONGEST_COMPRESSION if is_packed else 1):
        raise VolumeError(
            f"{path} claims to hold {frames} frames of {columns} x {rows} pixels, but is {describe_bytes(stored)} large. "
            "Is it complete?"
        )
    _require_memory(rows * columns * frames * _WORKING_BYTES, path)


def _require_memory(needed: int, path: Path) -> None:
    available = available_memory()
    if available is not None and needed > available:
        raise VolumeError(
            f"The segmentation in {path} takes about {describe_bytes(needed)} of memory, and "
            f"{describe_bytes(available)} are available."
        )


def _require_same_frame_of_reference(reference: str, path: Path, images: Sequence[Path]) -> None:
    of_images = {uid for uid in map(_frame_of_reference, images) if uid}
    if reference and of_images and reference not in of_images:
        raise VolumeError(
            f"{path} was drawn in another frame of reference ({reference[:64]}) than that of the images "
            f"({', '.join(sorted(of_images))}), so that its place in them is unknown. Is it the label of "
            "another examination?"
        )


def _frame_of_reference(image: Path) -> str:
    """Return the frame of reference of a DICOM image or series; empty for other files."""
    import pydicom

    path, _ = split_channel(image)
    file = next((one for one in sorted(path.iterdir()) if _storage_class(one)), None) if path.is_dir() else path
    if file is None or not _storage_class(file):
        return ""
    require_honest_lengths(file)
    found = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["FrameOfReferenceUID"])
    return str(found.get("FrameOfReferenceUID", ""))


def _storage_class(path: Path) -> str:
    """Return the storage class that a DICOM file names at its beginning; empty for other files."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        start = file.read(_META_BYTES)
    position = start.find(_STORAGE_CLASS_TAG, 132)
    if start[128:132] != b"DICM" or position < 0 or len(start) < position + 8:
        return ""
    (length,) = struct.unpack_from("<H", start, position + 6)
    return start[position + 8 : position + 8 + length].rstrip(b"\x00 ").decode("ascii", "replace")
