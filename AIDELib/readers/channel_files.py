"""Several channels of a case as files that differ in a number at the end: CASE_0000, CASE_0001 …"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from AIDELib.errors import DatasetError

_NUMBERED = re.compile(r"(.+)_(\d{4})")


def are_numbered(images: Collection[str], labels: Collection[str] = ()) -> bool:
    """Return whether files are the numbered channels of cases, and not cases that are numbered themselves.

    Channels are counted from 0; a label has the name of its case, without a channel's number. Where all have one name, and
    there is no such label, they are as many cases.

    Args:
        images, labels: names without ending.
    """
    matches = [_NUMBERED.fullmatch(stem) for stem in images]
    names = {match[1] for match in matches if match is not None}
    is_counted_from_0 = any(match is not None and match[2] == "0000" for match in matches)
    are_labelled = not names.isdisjoint(labels)
    return (
        None not in matches
        and set(labels).isdisjoint(images)
        and (are_labelled or (is_counted_from_0 and len(names) > 1))
    )


def count_channels(images: Mapping[str, Path]) -> int:
    """Return the number of channels of numbered files."""
    return 1 + max(int(stem[-4:]) for stem in images)


def group_channels(images: Mapping[str, Path], count: int) -> dict[str, tuple[Path, ...]]:
    """Return the channel files of each case in the order of their numbers.

    Args:
        images: files by name without ending, each ending in _0000, _0001 …
        count: number of channels.

    Raises:
        DatasetError: a name has no number, or a case lacks a channel.
    """
    grouped: dict[str, dict[int, Path]] = {}
    for stem, path in images.items():
        match = _NUMBERED.fullmatch(stem)
        if match is None:
            raise DatasetError(f"{path} does not end in a channel number such as _0000.")
        grouped.setdefault(match[1], {})[int(match[2])] = path
    for name, channels in grouped.items():
        if sorted(channels) != list(range(count)):
            found = ", ".join(f"_{number:04d}" for number in sorted(channels))
            raise DatasetError(f"Case '{name}' needs the {count} channels _0000 to _{count - 1:04d}, but has {found}.")
    return {name: tuple(channels[number] for number in range(count)) for name, channels in grouped.items()}
