"""Names that are not taken yet."""

from __future__ import annotations

from collections.abc import Container


def uniqueName(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number behind it where its lower-case form is in `taken`."""
    if name.casefold() not in taken:
        return name
    number = 2
    while f"{name} {number}".casefold() in taken:
        number += 1
    return f"{name} {number}"
