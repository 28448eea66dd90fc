"""The lengths that the elements of a DICOM file claim, held against the file before a library makes room for them.

Encoding: DICOM PS3.5, chapter 7. Only lengths are looked at; what the elements say is the library's business.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from pathlib import Path

from AIDELib.errors import VolumeError

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_PIXEL_DATA = (0x7FE0, 0x0010)
_TRANSFER_SYNTAX = (0x0002, 0x0010)
_IMPLICIT, _DEFLATED, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
# Value representations with a length of four bytes, after two reserved ones.
_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_SHORT = (
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT"),
    *(b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
)
_DEEPEST = 16


def require_honest_lengths(path: Path) -> None:
    """Refuse a DICOM file in which an element claims more bytes than the file has; other files are let through.

    Raises:
        VolumeError: it does, or it is DICOM without the usual beginning.
    """
    try:
        status = path.stat()
        _check(path, status.st_size, status.st_mtime_ns)
    except (struct.error, _Dishonest) as error:
        raise VolumeError(
            f"{path} is a damaged DICOM file ({error}). Remove it from the folder, or fetch the series anew."
        ) from None
    except OSError as error:
        raise VolumeError(f"{path} cannot be read: {error.strerror}.") from None


class _Dishonest(Exception):
    pass


@dataclass
class _Elements:
    """A part of the file's bytes, read element by element."""

    data: memoryview
    explicit: bool
    order: str

    def walk(self, position: int, end: int, depth: int) -> int:
        """Go through elements up to `end`, or to the end of an item of undefined length; return where that is."""
        if depth > _DEEPEST:
            raise _Dishonest("sequences within sequences without end")
        while position < end:
            tag, is_sequence, length, position = self._header(position)
            if tag in (_ITEM_END, _SEQUENCE_END):
                return position
            if length == _UNDEFINED:
                position = self._items(position, end, depth, tag == _PIXEL_DATA)
                continue
            if length > end - position:
                raise _Dishonest(
                    f"element ({tag[0]:04x},{tag[1]:04x}) claims {length:,} bytes, and {end - position:,} are left"
                )
            if is_sequence:
                self._items(position, position + length, depth, False)
            position += length
        return position

    def _items(self, position: int, end: int, depth: int, are_fragments: bool) -> int:
        while position < end:
            group, element, length = struct.unpack_from(self.order + "HHL", self.data, position)
            position += 8
            if (group, element) == _SEQUENCE_END:
                return position
            if (group, element) != _ITEM:
                raise _Dishonest("a sequence holds something that is no item")
            if length != _UNDEFINED and length > end - position:
                raise _Dishonest(f"an item claims {length:,} bytes, and {end - position:,} are left")
            if are_fragments:
                position += length
            elif length == _UNDEFINED:
                position = self.walk(position, end, depth + 1)
            else:
                self.walk(position, position + length, depth + 1)
                position += length
        return position

    def _header(self, position: int) -> tuple[tuple[int, int], bool, int, int]:
        group, element = struct.unpack_from(self.order + "HH", self.data, position)
        tag = (group, element)
        if not self.explicit or group == 0xFFFE:
            return tag, False, struct.unpack_from(self.order + "L", self.data, position + 4)[0], position + 8
        representation = bytes(self.data[position + 4 : position + 6])
        if representation in _LONG:
            length = struct.unpack_from(self.order + "L", self.data, position + 8)[0]
            return tag, representation == b"SQ", length, position + 12
        if representation not in _SHORT:
            raise _Dishonest(f"element ({group:04x},{element:04x}) is of no known kind")
        return tag, False, struct.unpack_from(self.order + "H", self.data, position + 6)[0], position + 8


@functools.lru_cache(maxsize=4096)
def _check(path: Path, size: int, changed: int) -> None:
    with path.open("rb") as file:
        start = file.read(132)
        if start[128:] != b"DICM":
            # The library takes these for DICOM all the same and reads lengths where there are none.
            if start[:2] in (b"\x00\x00", b"\x02\x00", b"\x08\x00"):
                raise _Dishonest("it does not begin as DICOM files do")
            return
        data = memoryview(start + file.read())
    syntax, position = _transfer_syntax(data)
    if syntax == _DEFLATED:
        raise _Dishonest("it is compressed as a whole, which is not supported")
    elements = _Elements(data, syntax != _IMPLICIT, ">" if syntax == _BIG_ENDIAN else "<")
    elements.walk(position, len(data), 0)


def _transfer_syntax(data: memoryview) -> tuple[str, int]:
    """Return the file's transfer syntax, and where the elements begin that it holds for."""
    meta = _Elements(data, True, "<")
    syntax, position = "", 132
    while position < len(data) and struct.unpack_from("<H", data, position)[0] == 2:
        tag, _, length, begin = meta._header(position)
        if length > len(data) - begin:
            raise _Dishonest(f"element ({tag[0]:04x},{tag[1]:04x}) claims {length:,} bytes")
        if tag == _TRANSFER_SYNTAX:
            syntax = bytes(data[begin : begin + length]).decode("ascii", "replace").rstrip("\x00 ")
        position = begin + length
    return syntax, position
