"""Experiment 1: three kinds of imperfect labels on brain MR, minutes an arm on two cores."""

from __future__ import annotations

from dataclasses import replace

from Testing.Benchmarks.domain_shift import DomainShift
from Testing.Benchmarks.experiment import Experiment, Scenario
from Testing.Benchmarks.experiments import arms
from Testing.Benchmarks.label_corruption import Severity
from Testing.Benchmarks.training_sets import noisy_labels, semi_supervised, shifted_domain

TESTS = 60
ANOTHER_SCANNER = DomainShift(gamma=1.7, bias=0.35, blur=0.8, noise=0.06)

# The voxels are cubes; in this plane a slice shows both structures whole. Supervised training gained by it.
CUT = {"slice_plane": "sagittal", "normalization": "volume"}

# The paper's constants within this experiment's budget; its learning rate would not get anywhere in so few iterations.
_PAPER_IN_THIS_BUDGET = {
    "network_width": 8,
    "slice_size": 128,
    "batch_size": 8,
    "epochs": 10,
    "pretraining_epochs": 5,
    "iterations_per_epoch": 120,
    "learning_rate": 1e-3,
    "learning_rate_halving_epochs": 3,
    "warm_up_epochs": 2,
}

EXPERIMENT = Experiment(
    name="hippocampus",
    title="Hippocampus: semi-supervised learning, noisy labels, another domain",
    question="Does AIDE beat training on the labels as they are, where the baselines have the same augmentation, averaging "
    "and arithmetic? SSL: 2 HQA and 40 unlabelled cases. NLL: 40 cases, 80 % of the labels spoiled. UDA: 15 labelled "
    "source cases, 40 unlabelled target cases under gamma, bias field, blur and noise.",
    source="hippocampus",
    layout="folder",
    scenarios=(
        Scenario("SSL", semi_supervised(2, 40, TESTS), arms.POINTLESS_WITH_UNLABELLED),
        *(
            Scenario(f"NLL {severity.name.lower()}", noisy_labels(40, 0.8, severity, TESTS), arms.POINTLESS_WITHOUT_HQA)
            for severity in Severity
        ),
        Scenario("UDA", shifted_domain(15, 40, ANOTHER_SCANNER, TESTS), arms.POINTLESS_WITH_UNLABELLED),
    ),
    arms=tuple(replace(arm, changes=_PAPER_IN_THIS_BUDGET) if arm is arms.AIDE_PAPER else arm for arm in arms.ALL),
    candidate=arms.AIDE_STANDARD.name,
    changes=CUT,
)
