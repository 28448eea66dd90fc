"""JSON from files that may be damaged, hostile or huge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Python's objects take some twenty times the room of the most compact JSON: this is below 400 MB.
LARGEST_DOCUMENT_BYTES = 16 * 2**20
DEEPEST_NESTING = 50


class DocumentError(Exception):
    """A JSON document cannot be read; the text says why, without naming the file."""


def read_json_object(path: Path, limit: int = LARGEST_DOCUMENT_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        DocumentError: the file is too large or holds no JSON object.
        OSError: it cannot be opened.
    """
    # Reading a pipe or a device would never end.
    if path.exists() and not path.is_file():
        raise DocumentError("it is no file")
    with path.open("rb") as file:
        data = file.read(limit + 1)
    return parse_json_object(data, limit)


def parse_json_object(data: bytes, limit: int = LARGEST_DOCUMENT_BYTES) -> dict[str, Any]:
    """Return the JSON object of a text in UTF-8.

    Raises:
        DocumentError: it is none, is larger than `limit` bytes, or is nested deeper than any document of AIDE.
    """
    if len(data) > limit:
        raise DocumentError(f"it is larger than {limit / 2**20:.4g} MB")
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise DocumentError("it is no text file in UTF-8") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"it is no valid JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # a number with thousands of digits
        raise DocumentError(f"it is no valid JSON: {error}") from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    if not isinstance(document, dict):
        raise DocumentError("it is no JSON object")
    _check_values(document)
    return document


def text(value: Any) -> str:
    """Return a value that must be a text.

    Raises:
        ValueError: it is none, or one that no file name or message can hold.
    """
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(f"{str(value)[:60]!r} is no text")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _check_values(document: dict[str, Any]) -> None:
    """Refuse texts that cannot be written again, and nesting that functions which follow it would not survive."""
    level: list[Any] = [document]
    for _ in range(DEEPEST_NESTING):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                _check_text(value)
            elif isinstance(value, float) and value in (float("inf"), float("-inf")):
                raise DocumentError("it holds a number that is too large")
        if not below:
            return
        level = below
    raise DocumentError("it is nested too deeply")


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("it holds a text that is no valid Unicode") from None
