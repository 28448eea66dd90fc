"""What an arm of an experiment is given of the cases and labels of a training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset import Dataset


class GivenLabels(str, Enum):
    """Named as the report calls it."""

    AS_PREPARED = "as they are"
    # A ceiling for the others.
    TRUE = "true labels"
    # What the other cases are worth shows against an arm that never sees them.
    LABELLED_CASES_ALONE = "labelled cases alone"


def dataset_with(given: GivenLabels, dataset: Dataset, truths: Mapping[str, Path]) -> Dataset:
    """Return the cases that an arm trains on, and the others as they are.

    Args:
        truths: true labels of the training cases by case id.
    """
    if given is GivenLabels.TRUE:
        cases = [
            replace(case, label=truths[case.id], quality=LabelQuality.HQA) if case.split is Split.TRAIN else case
            for case in dataset.cases
        ]
    elif given is GivenLabels.LABELLED_CASES_ALONE:
        cases = [case for case in dataset.cases if case.quality is not LabelQuality.UNLABELLED]
    else:
        return dataset
    return replace(dataset, cases=tuple(cases))
