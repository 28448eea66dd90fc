"""What a public layout has no place for."""

from __future__ import annotations

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.structure import DEFAULT_COLORS


def left_out(dataset: Dataset) -> tuple[str, ...]:
    """Return what the dataset says and a folder of training and test images does not, in words for the user."""
    rough = sum(case.quality is LabelQuality.LQA for case in dataset.cases)
    validating = sum(case.split is Split.VAL for case in dataset.cases)
    unlabelled_test = sum(
        case.split is Split.TEST and case.quality is LabelQuality.UNLABELLED for case in dataset.cases
    )
    facts = {
        f"which labels are rough ({rough} LQA)": rough,
        f"which cases choose the best epoch ({validating} val)": validating,
        f"that {unlabelled_test} unlabelled case(s) are for testing": unlabelled_test,
        "the patients": any(case.patient != case.id for case in dataset.cases),
        "the domains": any(case.domain for case in dataset.cases),
        "the labels of further raters": any(len(case.rater_labels) > 1 for case in dataset.cases),
        "the colours and codes of the structures": any(
            structure.terminology or structure.color != DEFAULT_COLORS[index % len(DEFAULT_COLORS)]
            for index, structure in enumerate(dataset.structures)
        ),
    }
    return tuple(fact for fact, occurs in facts.items() if occurs)
