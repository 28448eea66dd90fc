"""What a reader finds in a folder, before it is decided which cases count as labelled and what each is used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from AIDELib.errors import DatasetError
from AIDELib.structure import DEFAULT_COLORS, Structure


@dataclass(frozen=True)
class FoundCase:
    """One examination in a folder.

    Attributes:
        id: its name.
        images: one path per channel.
        labels: no label, one, or one per rater who drew one.
        domain: where the layout tells it.
        is_for_testing: whether the layout sets it aside for that.
        raters: whose labels these are, counted from 1; empty for one after the other.
    """

    id: str
    images: tuple[Path, ...]
    labels: tuple[Path, ...] = ()
    domain: str = ""
    is_for_testing: bool = False
    raters: tuple[int, ...] = ()

    @property
    def label_by_rater(self) -> dict[int, Path]:
        """Return the labels by those who drew them, counted from 1."""
        return dict(zip(self.raters or range(1, len(self.labels) + 1), self.labels, strict=True))


@dataclass(frozen=True)
class FoundCases:
    """All examinations in a folder, with the names that the layout gives.

    Attributes:
        channels: names of the channels.
        structures: the structures; empty where the layout does not tell.
        cases: in the order of their ids.
        lone_labels: label files that fit no image.
    """

    channels: tuple[str, ...]
    structures: tuple[Structure, ...]
    cases: tuple[FoundCase, ...]
    lone_labels: tuple[Path, ...] = ()


def require_cases(cases: Sequence[FoundCase], source: Path, expected: str) -> tuple[FoundCase, ...]:
    """Return the cases in the order of their ids.

    Raises:
        DatasetError: there are none; the message says what was looked for.
    """
    if not cases:
        raise DatasetError(f"No case was found in {source}. Expected: {expected}.")
    return tuple(sorted(cases, key=lambda case: case.id))


def require_folder(source: Path) -> Path:
    """Return the folder.

    Raises:
        DatasetError: it does not exist.
    """
    if not source.is_dir():
        raise DatasetError(f"There is no folder {source}.")
    return source


def named_structures(values: Sequence[tuple[str, Sequence[int]]]) -> tuple[Structure, ...]:
    """Return structures of these names and label values in colours that are easy to tell apart."""
    return tuple(
        Structure(name, tuple(own), DEFAULT_COLORS[index % len(DEFAULT_COLORS)])
        for index, (name, own) in enumerate(values)
    )
