"""Experiment 6: how many labelled cases does one need?"""

from __future__ import annotations

from Testing.Benchmarks.experiment import Experiment, Scenario
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.experiments.hippocampus import CUT
from Testing.Benchmarks.training_sets import semi_supervised

CASES = 42
COUNTS = (1, 2, 4, 8, 16, 32)

EXPERIMENT = Experiment(
    name="annotation-curve",
    title="Annotation efficiency: DSC against the number of labelled cases",
    question=f"Of {CASES} hippocampus cases, {', '.join(map(str, COUNTS))} are labelled and the others are not.",
    source="hippocampus",
    layout="folder",
    scenarios=tuple(Scenario(f"{count} labelled", semi_supervised(count, CASES - count, 60)) for count in COUNTS),
    arms=(arms.SUPERVISED_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes=CUT,
    seeds=3,
    curve={f"{count} labelled": count for count in COUNTS},
)
