"""An anatomical structure that a model segments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    """One foreground class.

    Attributes:
        name: shown to the user and written as the segment's name.
        values: values in label files that mean this structure; several values are merged into one structure.
        color: red, green, blue, each 0 to 255.
    """

    name: str
    values: tuple[int, ...]
    color: tuple[int, int, int]
