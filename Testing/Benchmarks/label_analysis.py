"""What a training made of the labels that it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.label import read_label
from AIDELib.label_correction import agreement
from AIDELib.review import read_review
from AIDELib.run_folder import RunFolder
from AIDELib.structure import Structure
from AIDELib.volume import read_image
from Testing.Benchmarks.experiment import TrainingSet
from Testing.Benchmarks.outcome import LabelOutcome


def analyse_labels(run: RunFolder, training_set: TrainingSet) -> tuple[LabelOutcome, ...]:
    """Return what became of each label that the run did not trust."""
    cases = {case.id: case for case in training_set.dataset.cases}
    structures = training_set.dataset.structures
    outcomes = []
    for reviewed in read_review(run):
        if reviewed.suggestion is None:
            continue
        case = cases[reviewed.case]
        truth_path = training_set.truths.get(case.id)
        # Label files of the run hold the values 1, 2 …, those of the data set its own.
        own_values = tuple(Structure(s.name, (i + 1,), s.color) for i, s in enumerate(structures))
        given = _read(case.label, case, structures)
        truth = _read(truth_path, case, structures)
        suggested = _read(run.path / reviewed.suggestion, case, own_values)
        current = [_read(path, case, own_values) for path in run.corrected_folder.glob(f"network*/{case.id}.nii.gz")]
        outcomes.append(
            LabelOutcome(
                case=case.id,
                corrupted=case.id in training_set.corrupted,
                suspicion=reviewed.suspicion,
                prediction_given=_dsc(suggested, given, len(structures)),
                given_true=_dsc(given, truth, len(structures)),
                current_true=_mean_dsc(current or [given], truth, len(structures)),
            )
        )
    return tuple(outcomes)


def _read(path: Path | None, case: Case, structures: tuple[Structure, ...]) -> np.ndarray | None:
    if path is None:
        return None
    return sitk.GetArrayFromImage(read_label(path, structures, read_image(case.images[0]), case.images))


def _dsc(first: np.ndarray | None, second: np.ndarray | None, structure_count: int) -> float | None:
    if first is None or second is None:
        return None
    return round(agreement(first, second, structure_count), 6)


def _mean_dsc(labels: list[np.ndarray | None], truth: np.ndarray | None, structure_count: int) -> float | None:
    values = [value for own in labels if (value := _dsc(own, truth, structure_count)) is not None]
    return round(float(np.mean(values)), 6) if values else None
