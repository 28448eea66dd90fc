"""A dataset: channels, structures and cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from AIDELib.case import Case, Split
from AIDELib.errors import DatasetError
from AIDELib.structure import Structure

# Label maps are uint8 with 0 for the background.
MAXIMUM_STRUCTURES = 255


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
        _require(
            len(self.structures) <= MAXIMUM_STRUCTURES,
            f"The dataset has {len(self.structures)} structures; at most {MAXIMUM_STRUCTURES} are possible.",
        )
        _require_unique(self.channels, "Channel '{}' is named twice; give each channel a name of its own.")
        _require_unique(
            [structure.name.casefold() for structure in self.structures],
            "Structure '{}' is named twice; give each structure a name of its own.",
        )
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


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise DatasetError(message)


def _require_unique(values: Sequence[str] | Sequence[int], message: str) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise DatasetError(message.format(repeated[0]))
