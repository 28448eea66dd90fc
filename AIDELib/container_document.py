"""A container file opened without trust, and its JSON document read without its tensors.

A container is a zip that holds one JSON document, files of tensors (`NAME.safetensors`) and `SHA256SUMS`, the SHA-256 of
each of them as the program sha256sum writes it. Nothing is unpacked to the disk, and nothing is read before its size is
known to be bearable.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zlib import error as zlib_error

from AIDELib.json_document import DocumentError, parse_json_object

CHECKSUM_FILE = "SHA256SUMS"
TENSOR_ENDING = ".safetensors"
MOST_FILES = 100
_LARGEST_CHECKSUM_FILE = 64 * 2**10
# A directory entry takes 46 bytes and the name; without this limit a file of 100 MB could list millions of entries.
_LARGEST_DIRECTORY = MOST_FILES * 1024
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,60}(\.json|\.safetensors)")


class ContainerError(Exception):
    """A container file is damaged or no container; the text says how, without naming the file."""


@contextmanager
def opened_container(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a container; what goes wrong while it is read becomes a ContainerError.

    Raises:
        ContainerError: it is damaged, or no container.
        OSError: the file cannot be opened.
    """
    if path.exists() and not path.is_file():
        raise ContainerError("it is no file")
    try:
        with path.open("rb") as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                _check_names(archive)
                yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, struct.error, zlib_error) as error:
        raise ContainerError(f"it is damaged or incomplete ({str(error)[:200]})") from None
    except (UnicodeDecodeError, ValueError, OverflowError) as error:
        raise ContainerError(f"it is damaged ({str(error)[:200]})") from None


def read_document(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Return the JSON document of that name.

    Raises:
        ContainerError: it is missing, damaged or no JSON object.
    """
    try:
        return parse_json_object(read_member(archive, name))
    except DocumentError as error:
        raise ContainerError(f"{name} cannot be used: {error}") from None


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the content of one file of the container, held against its checksum.

    Raises:
        ContainerError: it is missing or damaged.
    """
    data = _read(archive, member(archive, name))
    expected = _checksums(archive)
    if expected and expected.get(name) != hashlib.sha256(data).hexdigest():
        raise ContainerError(f"the checksum of {name} does not fit its content")
    return data


def member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return what the container says about one of its files.

    Raises:
        ContainerError: it is missing.
    """
    try:
        return archive.getinfo(name)
    except KeyError:
        raise ContainerError(f"there is no {name} in it") from None


def checksum_lines(contents: dict[str, bytes]) -> str:
    """Return the content of `SHA256SUMS`."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in contents.items())


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ContainerError(f"{info.filename} is compressed in a way that AIDE does not use")
    with archive.open(info) as file:
        # One byte more than it should have, so that its CRC is compared at the end; a bomb is not unpacked further.
        data = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise ContainerError(f"{info.filename} is incomplete")
    return data


def _checksums(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the checksum of each file; nothing where the container was packed without them."""
    if CHECKSUM_FILE not in archive.namelist():
        return {}
    info = archive.getinfo(CHECKSUM_FILE)
    if info.file_size > _LARGEST_CHECKSUM_FILE:
        raise ContainerError(f"{CHECKSUM_FILE} is too large")
    lines = _read(archive, info).decode("ascii").splitlines()
    return {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}


def _check_names(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    for name in names:
        if name != CHECKSUM_FILE and not _FILE_NAME.fullmatch(name):
            raise ContainerError(f"there is a file '{name[:100]}' in it, which has no place there")
    if len(set(names)) < len(names):
        raise ContainerError("a file is in it twice")


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a directory of contents that is larger than a container's, before Python reads it."""
    size = file.seek(0, 2)
    start = max(0, size - 2**16 - 22)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise ContainerError("it is damaged or incomplete (it does not end as a zip file does)")
    directory = struct.unpack_from("<L", tail, end + 12)[0]
    locator = tail.rfind(b"PK\x06\x07", 0, end)
    if locator >= 0:  # larger than 4 GB
        file.seek(struct.unpack_from("<Q", tail, locator + 8)[0])
        directory = struct.unpack_from("<Q", file.read(56), 40)[0]
    if directory > _LARGEST_DIRECTORY:
        raise ContainerError(f"its directory of contents claims {directory} bytes")
    file.seek(0)
