"""What one training reached, as it is kept on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import write_text_atomically
from Testing.Benchmarks.score import Score


@dataclass(frozen=True)
class LabelOutcome:
    """What became of one training case's given or generated label; DSC as means over the structures, None if unknown.

    Attributes:
        case: id of the case.
        corrupted: whether the given label was spoiled on purpose.
        suspicion: as in the label review, 0 to 1.
        prediction_given: DSC of the joint prediction with the given label.
        given_true: DSC of the given label with the true one.
        current_true: DSC of the labels at the end of the training with the true one, mean over the networks.
    """

    case: str
    corrupted: bool
    suspicion: float
    prediction_given: float | None
    given_true: float | None
    current_true: float | None


@dataclass(frozen=True)
class Outcome:
    """What one arm reached with one seed.

    Attributes:
        scenario, arm, seed: of which training.
        dsc: DSC of each test case by structure; of structures that the case has.
        qubiq: QUBIQ's score of each test case; empty without raters.
        labels: of the training cases whose labels may be corrected.
        wall_seconds, cpu_seconds: of the training alone, started anew after an interruption.
        peak_memory_gb: of the training.
        settings: all settings of the training by name, as they are in its run.
        machine: that it ran on.
        absent: for each test case, whether something was drawn of the structures that it does not have.
    """

    scenario: str
    arm: str
    seed: int
    dsc: Mapping[str, Mapping[str, float]]
    qubiq: Mapping[str, float]
    labels: tuple[LabelOutcome, ...]
    wall_seconds: float
    cpu_seconds: float
    peak_memory_gb: float
    settings: Mapping[str, Any]
    machine: str
    absent: Mapping[str, Mapping[str, bool]]

    def by_case(self, score: Score) -> dict[str, float]:
        """Return each test case's score, DSC as the mean over the structures that it has; for QUBIQ's, raters are needed."""
        if score is Score.QUBIQ:
            return dict(self.qubiq)
        return {case: sum(values.values()) / len(values) for case, values in self.dsc.items() if values}

    def mean(self, score: Score) -> float:
        """Return the mean of that score over the test cases; NaN without any."""
        values = self.by_case(score).values()
        return sum(values) / len(values) if values else math.nan


def save_outcome(outcome: Outcome, path: Path) -> None:
    """Write an outcome as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, json.dumps(asdict(outcome), indent=1) + "\n")


def load_outcome(path: Path) -> Outcome:
    """Read what `save_outcome` wrote."""
    # Earlier outcomes do not say how they were reached.
    unknown = {"settings": {}, "machine": "unknown", "absent": {}}
    document = unknown | json.loads(path.read_text(encoding="utf-8"))
    labels = tuple(LabelOutcome(**entry) for entry in document.pop("labels"))
    return Outcome(labels=labels, **document)
