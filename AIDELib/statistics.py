"""Paired comparison of two sets of metrics (paper, Methods: two-sided paired t-tests)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from AIDELib.label_comparison import MetricRow

METRIC_NAMES = ("dsc", "ravd", "assd", "mssd")


@dataclass(frozen=True)
class PairedTest:
    """A two-sided paired t-test.

    Attributes:
        count: number of pairs without a missing value.
        first_mean, second_mean: means over these pairs.
        difference: first minus second mean.
        interval: 95 % confidence interval of the difference; NaN with fewer than two pairs.
        p: probability of such a difference by chance; NaN with fewer than two pairs, 1 where all pairs are equal.
    """

    count: int
    first_mean: float
    second_mean: float
    difference: float
    interval: tuple[float, float]
    p: float


def paired_test(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Return the paired t-test of two sequences of one length; pairs with a NaN are left out."""
    pairs = np.array([first, second], dtype=float)
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    count = pairs.shape[1]
    if count == 0:
        return PairedTest(0, math.nan, math.nan, math.nan, (math.nan, math.nan), math.nan)
    first_mean, second_mean = (float(mean) for mean in pairs.mean(axis=1))
    differences = pairs[0] - pairs[1]
    difference = float(differences.mean())
    if count == 1:
        return PairedTest(count, first_mean, second_mean, difference, (math.nan, math.nan), math.nan)
    if np.ptp(differences) == 0:
        p = 1.0 if difference == 0 else 0.0
        return PairedTest(count, first_mean, second_mean, difference, (difference, difference), p)
    result = stats.ttest_rel(pairs[0], pairs[1])
    interval = result.confidence_interval(0.95)
    return PairedTest(
        count, first_mean, second_mean, difference, (float(interval.low), float(interval.high)), float(result.pvalue)
    )


def compare_rows(first: Sequence[MetricRow], second: Sequence[MetricRow], structure: str) -> dict[str, PairedTest]:
    """Return the paired test of each metric over the cases that both have for a structure."""
    own = {row.case: row.metrics for row in first if row.structure == structure}
    other = {row.case: row.metrics for row in second if row.structure == structure}
    cases = sorted(own.keys() & other.keys())
    return {
        name: paired_test([getattr(own[case], name) for case in cases], [getattr(other[case], name) for case in cases])
        for name in METRIC_NAMES
    }
