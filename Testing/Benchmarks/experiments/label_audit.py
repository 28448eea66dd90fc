"""Label audit: planted errors among labels that people made."""

from __future__ import annotations

from Testing.Benchmarks.experiment import Experiment, Scenario
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.experiments.hippocampus import CUT
from Testing.Benchmarks.label_corruption import Severity
from Testing.Benchmarks.training_sets import noisy_labels

EXPERIMENT = Experiment(
    name="label-audit",
    title="Label audit: does the review find planted errors, and does the correction mend them?",
    question="20 % of the labels of 60 hippocampus cases are spoiled. The suspicion of the review is to rank them first; "
    "the correction is to bring them nearer to the true labels and to leave the others as they are.",
    source="hippocampus",
    layout="folder",
    scenarios=tuple(
        Scenario(f"{severity.name.lower()} errors", noisy_labels(60, 0.2, severity, 40)) for severity in Severity
    ),
    arms=(arms.CONVENTIONAL_AUGMENTED, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes=CUT,
    seeds=3,
)
