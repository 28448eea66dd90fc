"""Experiment 2: three heart structures, 1, 3 and 7 labelled patients."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset import Dataset
from Testing.Benchmarks.experiment import Experiment, Preparation, Scenario, TrainingSet
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.training_sets import truths_of, without_label

# The test patients of the field's split may be elsewhere: the last of the training list stand in for them.
TEST_PATIENTS = 10


def labelled_patients(count: int) -> Preparation:
    """Return the preparation of the first patients of the public split as labelled, the rest as unlabelled."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        split = json.loads((source.cases[0].images[0].parents[1] / "split.json").read_text(encoding="utf-8"))
        order = {patient: position for position, patient in enumerate(split["train"])}
        training = [case for case in source.cases if case.patient in order]
        training.sort(key=lambda case: order[case.patient])
        first_test = len(order) - TEST_PATIENTS
        cases = []
        for case in training:
            position = order[case.patient]
            if position < count:
                cases.append(replace(case, quality=LabelQuality.HQA, split=Split.TRAIN))
            elif position < first_test:
                cases.append(replace(without_label(case), split=Split.TRAIN))
            else:
                cases.append(replace(case, quality=LabelQuality.HQA, split=Split.TEST))
        validation = [replace(case, split=Split.VAL) for case in source.cases if case.patient in split["val"]]
        truths = truths_of([case for case in training if order[case.patient] < first_test])
        return TrainingSet(replace(source, cases=(*cases, *validation)), truths)

    return prepare


EXPERIMENT = Experiment(
    name="acdc",
    title="ACDC: 1, 3 and 7 labelled patients, three structures",
    question="The public semi-supervised split in its order, validation patients for model selection; its last "
    f"{TEST_PATIENTS} training patients are the test patients. 128 x 128 and few iterations, for a CPU; with a GPU: "
    "--set slice_size=256 network_width=16 iterations_per_epoch=250 precision=auto.",
    source="acdc",
    layout="folder",
    options={"patient_pattern": "patient[0-9]+"},
    scenarios=tuple(
        Scenario(f"{count} labelled patient{'s' * (count > 1)}", labelled_patients(count)) for count in (1, 3, 7)
    ),
    arms=(arms.SUPERVISED, arms.SUPERVISED_LONGER, arms.CONVENTIONAL_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes={"slice_size": 128, "network_width": 8},
    seeds=3,
)
