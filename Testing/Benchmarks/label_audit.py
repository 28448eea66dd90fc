"""Does the label review find the spoiled labels, and does the correction mend them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from Testing.Benchmarks.outcome import LabelOutcome


@dataclass(frozen=True)
class LabelAudit:
    """How well spoiled labels are found and mended.

    Attributes:
        auroc: probability that a spoiled label is more suspect than a good one; NaN without either.
        precision: share of spoiled labels among the `top` most suspect.
        top: how many these are.
        corrupted_gain: mean DSC with the true label that spoiled labels gained by correction; NaN without.
        correct_gain: the same of good labels; negative where correction harmed.
    """

    auroc: float
    precision: float
    top: int
    corrupted_gain: float
    correct_gain: float


def audit_labels(labels: Sequence[LabelOutcome], top: int = 10) -> LabelAudit:
    """Return the audit of one training's labels."""
    spoiled = np.array([label.corrupted for label in labels], dtype=bool)
    suspicion = np.array([label.suspicion for label in labels])
    order = np.argsort(-suspicion, kind="stable")[:top]
    return LabelAudit(
        auroc=_auroc(suspicion[spoiled], suspicion[~spoiled]),
        precision=float(spoiled[order].mean()),
        top=len(order),
        corrupted_gain=_mean_gain([label for label in labels if label.corrupted]),
        correct_gain=_mean_gain([label for label in labels if not label.corrupted]),
    )


def _auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    if not len(positive) or not len(negative):
        return math.nan
    ranks = stats.rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def _mean_gain(labels: Sequence[LabelOutcome]) -> float:
    gains = [
        label.current_true - label.given_true
        for label in labels
        if label.current_true is not None and label.given_true is not None
    ]
    return float(np.mean(gains)) if gains else math.nan
