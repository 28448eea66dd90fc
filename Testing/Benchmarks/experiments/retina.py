"""Experiment 4: vessels of the retina, a real domain shift and two annotators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.readers.folder import read_folder
from AIDELib.readers.selection import Selection, select_cases
from Testing.Benchmarks.experiment import Experiment, Scenario, TrainingSet
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.training_sets import draw_cases, truths_of, without_label

UNLABELLED_EYES = 8
TEST_EYES = 6


def drive_to_chase(source: Dataset, folder: Path, seed: int) -> TrainingSet:
    """DRIVE labelled, CHASE unlabelled; `source` is DRIVE, CHASE lies beside it."""
    chase = _chase(source, rater=1)
    target, test = draw_cases(chase, UNLABELLED_EYES, TEST_EYES, seed)
    home = [replace(case, domain="DRIVE") for case in source.cases]
    away = [replace(without_label(case), domain="CHASE") for case in target]
    return TrainingSet(replace(source, cases=(*home, *away, *_in_domain(test, "CHASE"))), truths_of(target))


def one_rater(source: Dataset, folder: Path, seed: int) -> TrainingSet:
    """CHASE with the first rater's labels for training and the second's for testing."""
    training, _ = draw_cases(source, UNLABELLED_EYES, TEST_EYES, seed)
    _, test = draw_cases(_chase_from(source.cases[0].images[0].parents[1], rater=2), UNLABELLED_EYES, TEST_EYES, seed)
    cases = [replace(case, quality=LabelQuality.LQA) for case in training]
    return TrainingSet(replace(source, cases=(*cases, *test)), {})


def _chase(drive: Dataset, rater: int) -> Dataset:
    return _chase_from(drive.cases[0].images[0].parents[2] / "chase", rater)


def _chase_from(folder: Path, rater: int) -> Dataset:
    # Both eyes of a child are one patient.
    return select_cases(read_folder(folder), Selection(rater=rater, patient_pattern="Image_[0-9]+"))


def _in_domain(cases: list[Case], domain: str) -> list[Case]:
    return [replace(case, domain=domain, split=Split.TEST) for case in cases]


# Vessels are many components; the rest makes a training take minutes on two cores.
_CHANGES = {"slice_size": 256, "largest_component": False, "batch_size": 4, "iterations_per_epoch": 30}

DOMAINS = Experiment(
    name="retina-domains",
    title="Retina: from DRIVE to CHASE",
    question="DRIVE is labelled, CHASE is not: another camera, other people. Tested on CHASE.",
    source="retina/drive",
    layout="folder",
    scenarios=(Scenario("DRIVE to CHASE", drive_to_chase),),
    arms=(arms.SUPERVISED, arms.SUPERVISED_AUGMENTED, arms.SUPERVISED_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes=_CHANGES,
    seeds=3,
)

RATERS = Experiment(
    name="retina-raters",
    title="Retina: one rater's labels for training, another's for testing",
    question="The two raters of CHASE agree with a DSC of about 0.78.",
    source="retina/chase",
    layout="folder",
    options={"rater": 1, "patient_pattern": "Image_[0-9]+"},
    scenarios=(Scenario("CHASE", one_rater),),
    arms=(arms.CONVENTIONAL, arms.CONVENTIONAL_AUGMENTED, arms.CONVENTIONAL_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes=_CHANGES,
    seeds=3,
)
