"""Compressed files checked to be whole: the library that reads NIfTI fills what is missing without a word."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from AIDELib.errors import VolumeError
from AIDELib.memory import describe_bytes

_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20


def require_whole(path: Path, voxel_bytes: int) -> None:
    """Refuse a file `.gz` that was cut off or damaged; files of other endings are not looked at.

    Args:
        voxel_bytes: what the voxels take uncompressed, according to the header.

    Raises:
        VolumeError: the check sums are wrong, or there are fewer voxels than the header says.
    """
    if path.suffix.lower() != ".gz":
        return
    try:
        held = _uncompressed_bytes(path, voxel_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise VolumeError(f"{path} is cut off or damaged. Copy or download it anew.") from None
    except OSError as error:
        raise VolumeError(f"{path} cannot be read: {error.strerror}.") from None
    if held < voxel_bytes:
        raise VolumeError(
            f"{path} holds {describe_bytes(held)} of the {describe_bytes(voxel_bytes)} that its header tells of. "
            "It is cut off; copy or download it anew."
        )


def _uncompressed_bytes(path: Path, enough: int) -> int:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            # Such a file is read as it is.
            return path.stat().st_size
    held = 0
    with gzip.open(path) as content:
        try:
            while chunk := content.read1(_CHUNK_BYTES):
                held += len(chunk)
        except gzip.BadGzipFile as error:
            # What follows the voxels is nobody's concern.
            if held < enough or not str(error).startswith("Not a gzipped file"):
                raise
    return held
