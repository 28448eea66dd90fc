"""Arms compared over seeds: the same seed means the same training cases and initial networks, so that seeds are pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from AIDELib.statistics import PairedTest, paired_test
from Testing.Benchmarks.outcome import Outcome
from Testing.Benchmarks.score import Score


@dataclass(frozen=True)
class ArmSummary:
    """One arm on one scenario.

    Attributes:
        arm: its name.
        by_seed: mean score of each seed.
        gain: of the candidate over this arm, paired by seed; None for the candidate itself.
        cpu_seconds, peak_memory_gb: means over the seeds.
    """

    arm: str
    by_seed: dict[int, float]
    gain: PairedTest | None
    cpu_seconds: float
    peak_memory_gb: float

    @property
    def mean(self) -> float:
        """Mean score over the seeds."""
        return sum(self.by_seed.values()) / len(self.by_seed)


def summarize_arms(outcomes: Sequence[Outcome], scenario: str, candidate: str, score: Score) -> list[ArmSummary]:
    """Return each arm's summary in the order of first occurrence."""
    own = [outcome for outcome in outcomes if outcome.scenario == scenario]
    candidate_scores = _scores(own, candidate, score)
    return [
        ArmSummary(
            arm=arm,
            by_seed=_scores(own, arm, score),
            gain=None if arm == candidate else _gain(candidate_scores, _scores(own, arm, score)),
            cpu_seconds=_mean([outcome.cpu_seconds for outcome in own if outcome.arm == arm]),
            peak_memory_gb=_mean([outcome.peak_memory_gb for outcome in own if outcome.arm == arm]),
        )
        for arm in dict.fromkeys(outcome.arm for outcome in own)
    ]


def _scores(outcomes: Sequence[Outcome], arm: str, score: Score) -> dict[int, float]:
    return {outcome.seed: outcome.mean(score) for outcome in outcomes if outcome.arm == arm}


def _gain(candidate: dict[int, float], other: dict[int, float]) -> PairedTest:
    seeds = sorted(candidate.keys() & other.keys())
    return paired_test([candidate[seed] for seed in seeds], [other[seed] for seed in seeds])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
