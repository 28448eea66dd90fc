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
from AIDELib.volume import read_image
from Testing.Benchmarks.experiment import TrainingSet
from Testing.Benchmarks.outcome import LabelOutcome


def analyse_labels(run: RunFolder, training_set: TrainingSet) -> tuple[LabelOutcome, ...]:
    """Return what became of each label that the run did not trust."""
    cases = {case.id: case for case in training_set.dataset.cases}
    structures = training_set.dataset.structures
    count = len(structures)
    outcomes = []
    for reviewed in read_review(run):
        if reviewed.suggestion is None:
            continue
        case = cases[reviewed.case]
        image = read_image(case.images[0])

        def read(path: Path, case: Case = case, image: sitk.Image = image) -> np.ndarray:
            return sitk.GetArrayFromImage(read_label(path, structures, image, case.images))

        given = read(run.path / reviewed.given)
        suggested = read(run.path / reviewed.suggestion)
        current = [read(path) for path in run.corrected_folder.glob(f"network*/{case.id}.seg.nrrd")] or [given]
        truth_path = training_set.truths.get(case.id)
        truth = None if truth_path is None else read(truth_path)
        outcomes.append(
            LabelOutcome(
                case=case.id,
                corrupted=case.id in training_set.corrupted,
                suspicion=reviewed.suspicion,
                prediction_given=_dsc(suggested, given, count),
                given_true=None if truth is None else _dsc(given, truth, count),
                current_true=None
                if truth is None
                else round(float(np.mean([_dsc(labels, truth, count) for labels in current])), 6),
            )
        )
    return tuple(outcomes)


def _dsc(first: np.ndarray, second: np.ndarray, structure_count: int) -> float:
    return round(agreement(first, second, structure_count), 6)
