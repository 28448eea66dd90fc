"""What a training made of the labels that it was given."""

from __future__ import annotations

import numpy as np

from AIDELib.label_correction import agreement
from AIDELib.run_folder import RunFolder
from Testing.Benchmarks.experiment import TrainingSet
from Testing.Benchmarks.outcome import LabelOutcome
from Testing.Benchmarks.training_labels import read_training_labels


def analyse_labels(run: RunFolder, training_set: TrainingSet) -> tuple[LabelOutcome, ...]:
    """Return what became of each label that the run did not trust."""
    count = len(training_set.dataset.structures)
    return tuple(
        LabelOutcome(
            case=labels.case,
            corrupted=labels.case in training_set.corrupted,
            suspicion=labels.suspicion,
            prediction_given=_dsc(labels.suggested, labels.given, count),
            given_true=None if labels.true is None else _dsc(labels.given, labels.true, count),
            current_true=None
            if labels.true is None
            else round(float(np.mean([_dsc(current, labels.true, count) for current in labels.current])), 6),
        )
        for labels in read_training_labels(run, training_set)
    )


def _dsc(first: np.ndarray, second: np.ndarray, structure_count: int) -> float:
    return round(agreement(first, second, structure_count), 6)
