"""The header of a safetensors file, checked before room is made for what it claims.

Layout (Hugging Face, "safetensors format"): the header's length as 8 bytes, little-endian; the header, JSON of
{"NAME": {"dtype", "shape", "data_offsets"}}; the tensors' bytes without gaps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from AIDELib.json_document import DocumentError, parse_json_object

LARGEST_HEADER_BYTES = 4 * 2**20
MOST_AXES = 8
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_FLOATING = ("F64", "F32", "F16", "BF16")


class TensorHeaderError(Exception):
    """A tensor file's header is damaged or claims what cannot be."""


@dataclass(frozen=True)
class TensorShape:
    """What is known of a tensor without its values.

    Attributes:
        shape: number of entries along each axis.
        floating: whether the entries are floating-point numbers.
    """

    shape: tuple[int, ...]
    floating: bool


def read_tensor_header(file: IO[bytes], file_size: int) -> dict[str, TensorShape]:
    """Return the shapes of the tensors in a file of that many bytes.

    Raises:
        TensorHeaderError: the header is damaged, or the tensors that it claims are not what the file has room for.
    """
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(LARGEST_HEADER_BYTES, file_size - 8):
        raise TensorHeaderError(f"the tensors' header claims {length} bytes")
    try:
        header = parse_json_object(file.read(length), LARGEST_HEADER_BYTES)
    except DocumentError as error:
        raise TensorHeaderError(f"the tensors' header is damaged: {error}") from None
    header.pop("__metadata__", None)
    try:
        parsed = {name: _parse_entry(entry) for name, entry in header.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise TensorHeaderError(f"the tensors' header is damaged ({error!r})") from None
    end = 0
    for name, (_, begin, stop) in sorted(parsed.items(), key=lambda item: item[1][1:]):
        if begin != end:
            raise TensorHeaderError(f"tensor '{name}' does not begin where the one before it ends")
        end = stop
    if end != file_size - 8 - length:
        raise TensorHeaderError(f"the tensors claim {end} bytes of {file_size - 8 - length}")
    return {name: shape for name, (shape, _, _) in parsed.items()}


def require_shapes(found: Mapping[str, TensorShape], expected: Mapping[str, TensorShape]) -> None:
    """Refuse tensors of other names, shapes or kinds than expected.

    Raises:
        TensorHeaderError: one differs; it is named.
    """
    for name in sorted(expected.keys() - found.keys()):
        raise TensorHeaderError(f"tensor '{name}' is missing")
    for name in sorted(found.keys() - expected.keys()):
        raise TensorHeaderError(f"tensor '{name[:100]}' has no place in the network")
    for name, own in found.items():
        if own != expected[name]:
            raise TensorHeaderError(
                f"tensor '{name}' is {_describe(own)}, but the network needs {_describe(expected[name])}"
            )


def _parse_entry(entry: dict[str, Any]) -> tuple[TensorShape, int, int]:
    kind = entry["dtype"]
    shape = tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    if len(shape) > MOST_AXES or any(type(number) is not int or number < 0 for number in (*shape, begin, end)):
        raise ValueError("a size that is no whole number")
    if math.prod(shape) * _ITEM_BYTES[kind] != end - begin:
        raise ValueError(f"shape {list(shape)} in {end - begin} bytes")
    return TensorShape(shape, kind in _FLOATING), begin, end


def _describe(tensor: TensorShape) -> str:
    size = " x ".join(map(str, tensor.shape)) or "a single number"
    return f"{size} ({'floating point' if tensor.floating else 'whole numbers'})"
