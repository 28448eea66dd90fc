"""Experiment 3: one annotator's labels for training, all annotators' for testing, cross-validated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset import Dataset
from Testing.Benchmarks.experiment import Experiment, Preparation, Scenario, TrainingSet
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.score import Score

FOLDS = 4
RATERS = 3


def one_annotator(rater: int) -> Preparation:
    """Return the preparation of one rater's labels as noisy ones; each seed is a fold with other test cases."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        # One order for all folds of a round; every fourth seed starts a new round.
        order = np.random.default_rng(seed // FOLDS).permutation(len(source.cases))
        test = {source.cases[index].id for index in order[seed % FOLDS :: FOLDS]}
        cases = [
            replace(case, quality=LabelQuality.HQA, split=Split.TEST)
            if case.id in test
            else replace(case, label=case.rater_labels[rater - 1], quality=LabelQuality.LQA)
            for case in source.cases
        ]
        return TrainingSet(replace(source, cases=tuple(cases)), {})

    return prepare


EXPERIMENT = Experiment(
    name="qubiq-kidney",
    title="QUBIQ kidney: trained on one annotator at a time",
    question="Does AIDE, trained on the labels of one annotator, come nearer to what all three together say? Score: QUBIQ's "
    "continuous one, against the mean of the three.",
    source="qubiq_kidney",
    layout="qubiq",
    scenarios=tuple(Scenario(f"annotator {rater}", one_annotator(rater)) for rater in range(1, RATERS + 1)),
    arms=(arms.CONVENTIONAL, arms.CONVENTIONAL_AUGMENTED, arms.CONVENTIONAL_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes={"batch_size": 4},
    score=Score.QUBIQ,
    seeds=FOLDS,
)
