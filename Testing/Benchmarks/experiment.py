"""What an experiment is: training sets, the arms that compete on them, and the budget they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from AIDELib.dataset import Dataset
from Testing.Benchmarks.given_labels import GivenLabels
from Testing.Benchmarks.score import Score


@dataclass(frozen=True)
class TrainingSet:
    """The cases of one scenario and seed.

    Attributes:
        dataset: training cases with the labels that the arms are given, and the test cases.
        truths: true labels of the training cases by case id, where they are known.
        corrupted: ids of the training cases whose given label is not the true one.
    """

    dataset: Dataset
    truths: Mapping[str, Path]
    corrupted: frozenset[str] = frozenset()


# (all labelled cases of the source, folder for files that are made, seed) -> training set
Preparation = Callable[[Dataset, Path, int], TrainingSet]


@dataclass(frozen=True)
class Scenario:
    """One training situation.

    Attributes:
        name: for the reader.
        prepare: makes the training set of a seed; the test cases are the same for every seed.
        pointless: names of the arms that cannot be trained on such labels, or would be the same as others.
    """

    name: str
    prepare: Preparation
    pointless: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes:
        name: for the reader.
        method: as in `python -m AIDELib train --method`.
        preset: settings it starts from.
        changes: settings that differ from the preset's, after those of the experiment.
        labels: what it is given of the training set.
        length: epochs, those of the pretraining included, as a multiple of the others'; for arms that would otherwise
            compute less.
    """

    name: str
    method: str
    preset: str = "quick"
    changes: Mapping[str, Any] = field(default_factory=dict)
    labels: GivenLabels = GivenLabels.AS_PREPARED
    length: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """Arms on scenarios, over seeds.

    Attributes:
        name: as on the command line.
        title: heading of its report.
        question: what it is to find out, one or two sentences.
        source: folder below the data folder.
        layout: layout of that folder.
        options: further options of `python -m AIDELib import`.
        scenarios: training situations.
        arms: ways to train.
        candidate: name of the arm that the others are compared with.
        changes: settings that all arms share.
        score: what the arms are compared by.
        seeds: usual number of seeds.
        curve: number of labelled cases by scenario name, where the report is to draw DSC against it.
    """

    name: str
    title: str
    question: str
    source: str
    layout: str
    scenarios: tuple[Scenario, ...]
    arms: tuple[Arm, ...]
    candidate: str
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    score: Score = Score.DSC
    seeds: int = 5
    curve: Mapping[str, int] = field(default_factory=dict)


def file_name(name: str) -> str:
    """Return a name as part of a path: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")
