"""What people decided about suspect labels; a resumed run trusts these labels as HQA."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import write_bytes_atomically
from AIDELib.case import LabelQuality
from AIDELib.dataset import Dataset, find_case
from AIDELib.errors import RunError
from AIDELib.folder_lock import FolderLock
from AIDELib.json_document import DocumentError, text
from AIDELib.run_folder import RunFolder
from AIDELib.sealed_document import SPARE_FOLDER, is_there, read_sealed, write_sealed

FORMAT = "aide-decisions/1"

_log = logging.getLogger(__name__)


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
    """Record a decision, in place of an earlier one about the same case, and keep a spare copy of its label.

    Raises:
        RunError: the label is not there or lies outside the run, the run has no such case, or nothing can be written.
    """
    if not decision.label.is_file():
        raise RunError(f"Case '{decision.case}': there is no label {decision.label}.")
    if decision.label.resolve().parent != run.reviewed_folder.resolve():
        raise RunError(f"Case '{decision.case}': the label {decision.label} must lie in {run.reviewed_folder}.")
    try:
        data = decision.label.read_bytes()
        with decision_lock(run):
            entries = _read_entries(run)
            entries[decision.case] = {
                "case": decision.case,
                "choice": decision.choice.value,
                "label": decision.label.name,
                "label_checksum": _checksum(data),
            }
            spare = _spare_label(run, decision.label.name)
            spare.parent.mkdir(parents=True, exist_ok=True)
            write_bytes_atomically(spare, data)
            _write(run, entries)
    except OSError as error:
        raise RunError(f"The decision about case '{decision.case}' cannot be written: {error.strerror}.") from None


def withdraw_decision(run: RunFolder, case_id: str) -> None:
    """Forget the decision about a case, if there is one.

    Raises:
        RunError: the decisions are damaged or cannot be written.
    """
    try:
        with decision_lock(run):
            _write(run, {case: entry for case, entry in _read_entries(run).items() if case != case_id})
    except OSError as error:
        raise RunError(f"{run.decisions_file} cannot be written: {error.strerror}.") from None


def read_decisions(run: RunFolder) -> dict[str, ReviewDecision]:
    """Return all decisions by case.

    Where a label is no longer the one that was decided on, the decision names its spare copy, with a warning in the log.

    Raises:
        RunError: the file is damaged.
    """
    return {
        case: ReviewDecision(case, Choice(entry["choice"]), _whole_label(run, entry))
        for case, entry in _read_entries(run).items()
    }


def with_decisions(dataset: Dataset, decisions: Mapping[str, ReviewDecision]) -> Dataset:
    """Return the dataset in which every reviewed case has the decided label and the quality HQA.

    Args:
        decisions: by case, as `read_decisions` has them.

    Raises:
        DatasetError: a decision is about a case that the dataset does not have.
    """
    for case_id in decisions:
        find_case(dataset, case_id)
    cases = tuple(
        dataclasses.replace(case, label=decisions[case.id].label, quality=LabelQuality.HQA)
        if case.id in decisions
        else case
        for case in dataset.cases
    )
    return dataclasses.replace(dataset, cases=cases)


def decision_lock(run: RunFolder) -> FolderLock:
    """Return the lock that keeps two people from recording decisions at once, the later without the earlier one's."""
    return FolderLock(run.path / "decisions.lock")


def _read_entries(run: RunFolder) -> dict[str, dict[str, str]]:
    if not is_there(run.decisions_file):
        return {}
    try:
        document = read_sealed(run.decisions_file)
        if document["format"] != FORMAT:
            raise RunError(f"{run.decisions_file} has the format '{document['format']}', not '{FORMAT}'.")
        entries = [_parse(entry) for entry in document["decisions"]]
    except (DocumentError, OSError) as error:
        raise RunError(f"{run.decisions_file} is damaged: {error}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{run.decisions_file} is damaged ({error!r}).") from None
    return {entry["case"]: entry for entry in entries}


def _parse(entry: dict[str, Any]) -> dict[str, str]:
    return {
        "case": text(entry["case"]),
        "choice": Choice(entry["choice"]).value,
        "label": _file_name(entry["label"]),
        "label_checksum": text(entry["label_checksum"]),
    }


def _whole_label(run: RunFolder, entry: dict[str, str]) -> Path:
    label, spare = run.reviewed_folder / entry["label"], _spare_label(run, entry["label"])
    if _file_checksum(label) == entry["label_checksum"]:
        return label
    if _file_checksum(spare) == entry["label_checksum"]:
        _log.warning(
            "Case '%s': the label %s was damaged, or changed after it was decided on; its spare copy is used. Decide about "
            "the case anew to use the changed label.",
            entry["case"],
            label,
        )
        return spare
    raise RunError(
        f"Case '{entry['case']}': the label {label} is damaged or missing, and so is its spare copy {spare}. Decide about "
        "the case anew."
    )


def _spare_label(run: RunFolder, name: str) -> Path:
    return run.path / SPARE_FOLDER / run.reviewed_folder.name / name


def _file_checksum(path: Path) -> str:
    try:
        return _checksum(path.read_bytes())
    except OSError:
        return ""


def _checksum(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _file_name(value: Any) -> str:
    name = text(value)
    if not name or Path(name).name != name or name == ".." or "\\" in name:
        raise ValueError(f"'{name}' is no file name")
    return name


def _write(run: RunFolder, entries: dict[str, dict[str, str]]) -> None:
    write_sealed(run.decisions_file, {"format": FORMAT, "decisions": [entries[case] for case in sorted(entries)]})
