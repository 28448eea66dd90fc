"""Task standardization: every kind of imperfect labels becomes learning from noisy ones (paper, Fig. 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from AIDELib.case import Case, LabelQuality
from AIDELib.errors import DatasetError


class Task(str, Enum):
    """The kinds of imperfect labels that the paper tells apart."""

    SUPERVISED = "supervised learning"
    SSL = "semi-supervised learning"
    UDA = "unsupervised domain adaptation"
    NLL = "noisy-label learning"


@dataclass(frozen=True)
class Standardization:
    """How a training set becomes one of noisy labels.

    Attributes:
        task: what the labels call for, or what the user calls it.
        statement: one sentence for the user that says what will happen.
        labels_unlabelled_cases: whether a model is trained first that labels the unlabelled cases.
    """

    task: Task
    statement: str
    labels_unlabelled_cases: bool


def standardize(cases: Sequence[Case], task: Task | None = None) -> Standardization:
    """Return what the training cases call for.

    Args:
        cases: the training cases.
        task: what the user calls the task instead. The statement then says so; what is done follows from the labels alone.

    Raises:
        DatasetError: no case is labelled, or the chosen task asks for unlabelled ones and there are none.
    """
    counts = Counter(case.quality for case in cases)
    labelled = counts[LabelQuality.HQA] + counts[LabelQuality.LQA]
    if not labelled:
        raise DatasetError("No training case has a label. Label at least one case (quality HQA) and train again.")
    unlabelled = counts[LabelQuality.UNLABELLED]
    chosen = task or _fitting_task(cases, counts)
    if chosen in (Task.SSL, Task.UDA) and not unlabelled:
        raise DatasetError(f"{chosen.value.capitalize()} needs unlabelled training cases, and there are none.")
    return Standardization(chosen, _statement(chosen, cases, counts), bool(unlabelled))


def _fitting_task(cases: Sequence[Case], counts: Counter[LabelQuality]) -> Task:
    if not counts[LabelQuality.UNLABELLED]:
        return Task.NLL if counts[LabelQuality.LQA] else Task.SUPERVISED
    domains = _domains(cases)
    return Task.UDA if domains[True].isdisjoint(domains[False]) else Task.SSL


def _domains(cases: Sequence[Case]) -> dict[bool, set[str]]:
    """Return the domains of the labelled (True) and of the unlabelled (False) cases."""
    return {
        labelled: {case.domain for case in cases if (case.quality is not LabelQuality.UNLABELLED) is labelled}
        for labelled in (True, False)
    }


def _statement(task: Task, cases: Sequence[Case], counts: Counter[LabelQuality]) -> str:
    present = ", ".join(f"{counts[quality]} {quality.value}" for quality in LabelQuality if counts[quality])
    good, rough, unlabelled = (counts[quality] for quality in LabelQuality)
    teachers = f"the {good} HQA" if good else f"the {rough} LQA"
    if task is Task.UDA:
        domains = _domains(cases)
        source, target = (", ".join(sorted(names)) or "unnamed domain" for names in (domains[True], domains[False]))
        first = f"the {unlabelled} of domain {target} are labelled first"
        action = f"{first} by a model trained on {teachers} of domain {source}"
    elif unlabelled:
        action = f"the {unlabelled} unlabelled are labelled first by a model trained on {teachers}"
    elif rough:
        action = f"the {rough} LQA labels are corrected during the training"
    else:
        action = "all labels count as good"
    return f"{present}: {task.value}; {action}."
