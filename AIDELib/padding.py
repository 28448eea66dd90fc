"""Slices of different sizes as images of one size: centred, with 0 (the mean intensity) around them."""

from __future__ import annotations

from collections.abc import Sequence

# Four halvings of the slice must come out even.
EDGE_MULTIPLE = 16


def padded_edge(edge: int) -> int:
    """Return the smallest multiple of 16 that is not below `edge`."""
    return -(-edge // EDGE_MULTIPLE) * EDGE_MULTIPLE


def padded_size(size: Sequence[int], smallest: Sequence[int]) -> tuple[int, int]:
    """Return the size (H, W) that a slice is padded to: multiples of 16, none below the slice's or the smallest size's."""
    height, width = (padded_edge(max(own, least)) for own, least in zip(size, smallest, strict=True))
    return height, width


def centred_placement(size: Sequence[int], padded: Sequence[int]) -> tuple[slice, slice]:
    """Return where an image of `size` (H, W) lies centred in one of size `padded`."""
    top, left = ((whole - own) // 2 for own, whole in zip(size, padded, strict=True))
    return slice(top, top + size[0]), slice(left, left + size[1])
