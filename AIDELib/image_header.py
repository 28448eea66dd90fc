"""What an image file claims to hold, checked before room is made for it."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.dicom_lengths import require_honest_lengths
from AIDELib.errors import VolumeError
from AIDELib.memory import available_memory, describe_bytes

# Deflate, the strongest compression among these formats, shrinks at most to this share.
STRONGEST_COMPRESSION = 1032
# While an image is read and converted to float32, this many bytes a value are taken beyond the stored ones.
_WORKING_BYTES = 8
_HEADER_BYTES = 2**20
_LONGEST_FIELD, _LONGEST_TEXT = 400, 20_000
_META_DIMENSIONS = re.compile(rb"^\s*NDims\s*=\s*(\d+)\s*$", re.MULTILINE)
# What names the file with the voxels.
_META_DATA_FILE = re.compile(rb"ElementDataFile\s*[=:]?[ \t]*([^\r\n]*)")
_NRRD_DATA_FILE = re.compile(rb"^\s*data ?file\s*:[ \t]*([^\n]*)", re.MULTILINE | re.IGNORECASE)
_LOCAL = ("LOCAL", "Local", "local")
_META_ENDINGS, _NRRD_ENDINGS = (".mha", ".mhd"), (".nrrd", ".nhdr")
# Their voxels lie in another file, so that its size says nothing.
_HEADER_ENDINGS = (".mhd", ".nhdr")


@dataclass(frozen=True)
class ImageHeader:
    """The header of an image file.

    Attributes:
        size: voxels along each axis.
        spacing, origin: in mm, along each axis.
        direction: row by row.
        value_bytes: bytes of a stored value.
        values_per_voxel: 1 for a grey image.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]
    value_bytes: int
    values_per_voxel: int

    @property
    def data_bytes(self) -> int:
        """Return the bytes of all values, uncompressed."""
        return math.prod(self.size) * self.values_per_voxel * self.value_bytes


def read_image_header(path: Path) -> ImageHeader:
    """Return what a file claims, after a look whether that can be.

    Raises:
        VolumeError: there is no such file, it is no image, its header contradicts itself or names files elsewhere, or it
            claims more voxels than it or the memory has room for.
    """
    if not path.exists():
        raise VolumeError(f"There is no file {path}.")
    # Opening a pipe or a device would wait forever.
    if not path.is_file():
        raise VolumeError(f"{path} is no file.")
    _require_bearable_lines(path)
    _require_data_beside(path)
    if path.suffix.lower() == ".dcm":
        require_honest_lengths(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(f"{path} cannot be read as an image ({reason(error)}). Is it complete?") from None
    header = ImageHeader(
        size=tuple(reader.GetSize()),
        spacing=tuple(reader.GetSpacing()),
        origin=tuple(reader.GetOrigin()),
        direction=tuple(reader.GetDirection()),
        value_bytes=_value_bytes(reader.GetPixelID()),
        values_per_voxel=reader.GetNumberOfComponents(),
    )
    _require_sense(header, path)
    _require_room(header, path)
    return header


def reason(error: RuntimeError) -> str:
    """Return the last line of an ITK error, which says what happened; the lines before say where in ITK."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR:").strip().rstrip(".") if lines else "unknown reason"


def _require_sense(header: ImageHeader, path: Path) -> None:
    size = " x ".join(map(str, header.size))
    if any(count < 1 for count in header.size) or header.values_per_voxel < 1:
        raise VolumeError(f"{path} claims to hold {size} voxels. Is it complete?")
    numbers = (*header.spacing, *header.origin, *header.direction)
    if not all(map(math.isfinite, numbers)) or any(not 0 < value < 1e6 for value in header.spacing):
        raise VolumeError(
            f"{path} has a position in space that cannot be (spacing {header.spacing}, origin {header.origin}). Is its "
            "header damaged?"
        )
    if abs(np.linalg.det(np.array(header.direction).reshape(len(header.size), -1))) < 1e-6:
        raise VolumeError(f"{path} has axes that lie in one plane, which cannot be. Is its header damaged?")
    if max(map(abs, header.origin)) > 1e9:
        raise VolumeError(f"{path} has the origin {header.origin}, which cannot be. Is its header damaged?")


def _require_room(header: ImageHeader, path: Path) -> None:
    stored = path.stat().st_size
    is_raw = path.suffix.lower() == ".nii"
    if path.suffix.lower() not in _HEADER_ENDINGS:
        most = stored if is_raw else stored * STRONGEST_COMPRESSION
        if header.data_bytes > most:
            raise VolumeError(
                f"{path} claims to hold {' x '.join(map(str, header.size))} voxels, which is "
                f"{describe_bytes(header.data_bytes)}, but is {describe_bytes(stored)} large. Is it complete?"
            )
    needed = header.data_bytes + math.prod(header.size) * header.values_per_voxel * _WORKING_BYTES
    available = available_memory()
    if available is not None and needed > available:
        raise VolumeError(
            f"{path} holds {' x '.join(map(str, header.size))} voxels, which take {describe_bytes(needed)} of memory; "
            f"{describe_bytes(available)} are available. Crop it, or use a machine with more memory."
        )


def _require_data_beside(path: Path) -> None:
    """Refuse a header that takes its voxels from elsewhere than its own folder."""
    ending = path.suffix.lower()
    if ending not in (*_META_ENDINGS, *_NRRD_ENDINGS):
        return
    start = _start_of(path, _HEADER_BYTES)
    lines = start.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if ending in _NRRD_ENDINGS and len(start) == _HEADER_BYTES and b"\n\n" not in lines:
        raise VolumeError(f"{path} has a header of more than {describe_bytes(_HEADER_BYTES)}. Is it damaged?")
    # All that could be taken for such a line, because a comment before it could look like one.
    pattern = _META_DATA_FILE if ending in _META_ENDINGS else _NRRD_DATA_FILE
    names = [match[1].strip().decode("utf-8", "replace") for match in pattern.finditer(lines)]
    if not names and ending != ".nrrd":
        names = [""]
    for name in names:
        if not (ending in _META_ENDINGS and name in _LOCAL) and not _is_file_beside(path, name):
            raise VolumeError(f"{path} takes its voxels from '{name[:100]}'; they must be in one file beside it.")


def _start_of(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise VolumeError(f"{path} cannot be read: {error.strerror}.") from None


def _is_file_beside(path: Path, name: str) -> bool:
    # The libraries take "LIST" for a list of files that follows, and "%" for a pattern of names.
    is_plain = Path(name).name == name and not any(sign in name for sign in "\\%") and not name.startswith("LIST")
    return bool(name) and is_plain and os.path.isfile(path.parent / name)


def _require_bearable_lines(path: Path) -> None:
    """Refuse headers as no program writes them, on which the libraries that read them would crash."""
    start = _start_of(path, _HEADER_BYTES if path.suffix.lower() in (".nrrd", ".nhdr", ".mha", ".mhd") else 4)
    if path.suffix.lower() in (".mha", ".mhd"):
        dimensions = _META_DIMENSIONS.search(start)
        if dimensions is None or not 1 <= int(dimensions[1][:9]) <= 4 or len(dimensions[1]) > 9:
            raise VolumeError(f"{path} is no MetaImage of 1 to 4 dimensions (NDims in its header). Is it damaged?")
    if not start.startswith(b"NRRD") or len(start) == 4:
        return
    header, _, _ = start.replace(b"\r\n", b"\n").partition(b"\n\n")
    for line in header.split(b"\n"):
        is_field = b":=" not in line and not line.startswith(b"#")
        if len(line) > (_LONGEST_FIELD if is_field else _LONGEST_TEXT):
            raise VolumeError(
                f"{path} has a header line of {len(line)} characters, which is no NRRD header's. Is it damaged?"
            )


def _value_bytes(pixel_id: int) -> int:
    if pixel_id in (sitk.sitkUInt8, sitk.sitkInt8, sitk.sitkVectorUInt8, sitk.sitkVectorInt8):
        return 1
    if pixel_id in (sitk.sitkUInt16, sitk.sitkInt16, sitk.sitkVectorUInt16, sitk.sitkVectorInt16):
        return 2
    small = (sitk.sitkUInt32, sitk.sitkInt32, sitk.sitkFloat32)
    vectors = (sitk.sitkVectorUInt32, sitk.sitkVectorInt32, sitk.sitkVectorFloat32)
    return 4 if pixel_id in (*small, *vectors) else 8
