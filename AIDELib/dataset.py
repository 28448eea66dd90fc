"""A dataset: channels, structures and cases."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from AIDELib.case import Case, Split
from AIDELib.errors import DatasetError
from AIDELib.structure import Structure

# Label maps are uint8 with 0 for the background.
MAXIMUM_STRUCTURES = 255
# Each channel has an encoder of its own.
MAXIMUM_CHANNELS = 32
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Dataset:
    """What a model is trained and tested on.

    Attributes:
        channels: names of the image channels, in the order of each case's images.
        structures: the foreground classes; structure i has index i + 1 in every label map of AIDELib.
        cases: all cases.

    Raises:
        DatasetError: the parts contradict each other; the message names the case or structure.
    """

    channels: tuple[str, ...]
    structures: tuple[Structure, ...]
    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        _require(bool(self.channels), "The dataset has no channels; name at least one.")
        _require(bool(self.structures), "The dataset has no structures; name at least one with its label value.")
        _require(bool(self.cases), "The dataset has no cases.")
        require_names(self.channels, "channel", MAXIMUM_CHANNELS)
        require_names([structure.name for structure in self.structures], "structure", MAXIMUM_STRUCTURES)
        _require_unique(
            [value for structure in self.structures for value in structure.values],
            "Label value {} belongs to two structures; each value can mean only one.",
        )
        _require_unique([case.id.casefold() for case in self.cases], "Case '{}' is listed twice; ids must be unique.")
        for case in self.cases:
            _require(
                len(case.images) == len(self.channels),
                f"Case '{case.id}': images lists {len(case.images)} files but the dataset has {len(self.channels)} "
                f"channels ({', '.join(self.channels)}); give one image per channel.",
            )
        self._require_one_split_per_patient()

    def select(self, split: Split) -> tuple[Case, ...]:
        """Return the cases of one split."""
        return tuple(case for case in self.cases if case.split is split)

    def _require_one_split_per_patient(self) -> None:
        first: dict[str, Case] = {}
        for case in self.cases:
            other = first.setdefault(case.patient, case)
            _require(
                other.split is case.split,
                f"Case '{case.id}': patient '{case.patient}' stands in split {case.split.value} here and in "
                f"{other.split.value} with case '{other.id}'; put all cases of a patient into one split.",
            )


def find_case(dataset: Dataset, case_id: str) -> Case:
    """Return the case of that id.

    Raises:
        DatasetError: there is none.
    """
    for case in dataset.cases:
        if case.id == case_id:
            return case
    raise DatasetError(f"There is no case '{case_id}' in the dataset.")


def require_names(names: Sequence[str], kind: str, most: int) -> None:
    """Refuse too many names, names that stand twice, and those that cannot be shown in one line.

    Args:
        kind: what they name: "channel", "structure".

    Raises:
        DatasetError: a name or their number cannot be used.
    """
    _require(len(names) <= most, f"There are {len(names)} {kind}s; at most {most} are possible.")
    for name in names:
        # Control characters of a stranger's file could steer the terminal that shows them.
        _require(
            bool(name.strip()) and len(name) <= _LONGEST_NAME and not any(map(_controls, name)),
            f"{kind.capitalize()} {name[:_LONGEST_NAME]!r}: a name must be 1 to {_LONGEST_NAME} characters in one line.",
        )
    _require_unique(
        [name.casefold() for name in names],
        f"{kind.capitalize()} '{{}}' is named twice; give each {kind} a name of its own.",
    )


def _controls(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise DatasetError(message)


def _require_unique(values: Sequence[str] | Sequence[int], message: str) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise DatasetError(message.replace("{}", str(repeated[0])))
