"""What people decided about suspect labels; a resumed run trusts these labels as HQA."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from AIDELib.atomic_file import write_text_atomically
from AIDELib.case import LabelQuality
from AIDELib.dataset import Dataset, find_case
from AIDELib.errors import RunError
from AIDELib.run_folder import RunFolder

FORMAT = "aide-decisions/1"


class Choice(str, Enum):
    """Which label of a reviewed case counts from now on."""

    ACCEPT = "accept"
    KEEP = "keep"
    EDIT = "edit"


@dataclass(frozen=True)
class ReviewDecision:
    """A person's decision about one case.

    Attributes:
        case: id of the case.
        choice: the networks' label accepted, the given one kept, or one that the person drew.
        label: file with the label, in the run's folder `reviewed`; 0 background, i + 1 = structure i, or a `.seg.nrrd`
            with the structures' names.
    """

    case: str
    choice: Choice
    label: Path


def save_decision(run: RunFolder, decision: ReviewDecision) -> None:
    """Record a decision, in place of an earlier one about the same case.

    Raises:
        RunError: the label is not there or lies outside the run, the run has no such case, or nothing can be written.
    """
    if not decision.label.is_file():
        raise RunError(f"Case '{decision.case}': there is no label {decision.label}.")
    if run.reviewed_folder.resolve() not in decision.label.resolve().parents:
        raise RunError(f"Case '{decision.case}': the label {decision.label} must lie in {run.reviewed_folder}.")
    _write(run, read_decisions(run) | {decision.case: decision})


def withdraw_decision(run: RunFolder, case_id: str) -> None:
    """Forget the decision about a case, if there is one.

    Raises:
        RunError: the decisions are damaged or cannot be written.
    """
    _write(run, {case: decision for case, decision in read_decisions(run).items() if case != case_id})


def read_decisions(run: RunFolder) -> dict[str, ReviewDecision]:
    """Return all decisions by case.

    Raises:
        RunError: the file is damaged.
    """
    if not run.decisions_file.exists():
        return {}
    try:
        document = json.loads(run.decisions_file.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise RunError(f"{run.decisions_file} has the format '{document['format']}', not '{FORMAT}'.")
        decisions = [
            ReviewDecision(
                str(entry["case"]), Choice(entry["choice"]), run.reviewed_folder / _file_name(entry["label"])
            )
            for entry in document["decisions"]
        ]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise RunError(f"{run.decisions_file} is damaged ({error!r}).") from None
    return {decision.case: decision for decision in decisions}


def with_decisions(dataset: Dataset, run: RunFolder) -> Dataset:
    """Return the dataset in which every reviewed case has the decided label and the quality HQA.

    Raises:
        RunError: the decisions are damaged.
        DatasetError: a decision is about a case that the dataset does not have.
    """
    decisions = read_decisions(run)
    for case_id in decisions:
        find_case(dataset, case_id)
    cases = tuple(
        dataclasses.replace(case, label=decisions[case.id].label, quality=LabelQuality.HQA)
        if case.id in decisions
        else case
        for case in dataset.cases
    )
    return dataclasses.replace(dataset, cases=cases)


def _file_name(text: str) -> str:
    if not text or Path(text).name != text:
        raise ValueError(f"'{text}' is no file name")
    return text


def _write(run: RunFolder, decisions: dict[str, ReviewDecision]) -> None:
    entries = [
        {"case": case, "choice": decision.choice.value, "label": decision.label.name}
        for case, decision in sorted(decisions.items())
    ]
    text = json.dumps({"format": FORMAT, "decisions": entries}, indent=1, ensure_ascii=False) + "\n"
    try:
        write_text_atomically(run.decisions_file, text)
    except OSError as error:
        raise RunError(f"{run.decisions_file} cannot be written: {error.strerror}.") from None
