"""The report of an experiment: Markdown with tables and figures."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from AIDELib.atomic_file import write_text_atomically
from Testing.Benchmarks.charts import draw_arms, draw_curve, draw_labels
from Testing.Benchmarks.comparison import ArmSummary, summarize_arms
from Testing.Benchmarks.experiment import Experiment, Scenario, file_name
from Testing.Benchmarks.given_labels import GivenLabels
from Testing.Benchmarks.label_audit import LabelAudit, audit_labels
from Testing.Benchmarks.outcome import Outcome
from Testing.Benchmarks.runner import arm_settings, picture_file
from Testing.Benchmarks.score import Score

_WHAT_P_MEANS = (
    "A seed draws the training cases, where there are more than it uses, and the initial networks; the test cases are the "
    "same for all, so that intervals and p values hold for these test cases. Each p is that of a single comparison."
)


def write_report(experiment: Experiment, outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write REPORT.md and its figures into a folder and return the file."""
    machines = dict.fromkeys(outcome.machine for outcome in outcomes)
    parts = [f"# {experiment.title}", experiment.question, f"Machine: {'; '.join(machines) or 'none yet'}."]
    for scenario in experiment.scenarios:
        own = [outcome for outcome in outcomes if outcome.scenario == scenario.name]
        if own:
            parts += _scenario_parts(experiment, scenario, own, folder)
    if any(outcome.seed > 0 for outcome in outcomes):
        parts.insert(3, _WHAT_P_MEANS)
    if experiment.curve and outcomes:
        draw_curve(_curves(experiment, outcomes), folder / "curve.png")
        parts += ["## Curve", "![DSC against the number of labelled cases](curve.png)"]
    parts += ["## Settings", _settings_table(experiment, outcomes)]
    file = folder / "REPORT.md"
    write_text_atomically(file, "\n\n".join(parts) + "\n")
    return file


def _scenario_parts(experiment: Experiment, scenario: Scenario, outcomes: Sequence[Outcome], folder: Path) -> list[str]:
    name = file_name(scenario.name)
    draw_arms(outcomes, scenario.name, experiment.score, folder / f"{name}.png")
    parts = [
        f"## {scenario.name}",
        _arms_table(
            summarize_arms(outcomes, scenario.name, experiment.candidate, experiment.score),
            experiment.candidate,
            experiment.score,
        ),
        f"![{experiment.score.value} of the test cases by arm]({name}.png)",
        *_absence_parts(outcomes),
    ]
    candidates = [outcome for outcome in outcomes if outcome.arm == experiment.candidate and outcome.labels]
    if candidates and any(label.given_true is not None for label in candidates[0].labels):
        draw_labels(candidates[0].labels, f"{scenario.name}, seed {candidates[0].seed}", folder / f"{name}-labels.png")
        parts += [
            f"Labels, {experiment.candidate}:",
            _labels_table(candidates),
            f"![Agreement with the given label against its quality]({name}-labels.png)",
        ]
        parts += _picture_parts(experiment, scenario, candidates[0], folder)
    return parts


def _absence_parts(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a sentence on structures that test cases do not have, which no mean counts; none where they have all."""
    drawn: dict[str, list[bool]] = {}
    for outcome in outcomes:
        drawn.setdefault(outcome.arm, []).extend(one for case in outcome.absent.values() for one in case.values())
    counts = [f"{arm} {sum(own)} of {len(own)}" for arm, own in drawn.items() if own]
    if not counts:
        return []
    return [f"Structures that a test case does not have are in no mean. Drawn all the same: {', '.join(counts)}."]


def _picture_parts(experiment: Experiment, scenario: Scenario, outcome: Outcome, folder: Path) -> list[str]:
    arm = next(arm for arm in experiment.arms if arm.name == outcome.arm)
    made = picture_file(folder, scenario, arm, outcome.seed)
    if not made.exists():
        return []
    picture = folder / f"{file_name(scenario.name)}-corrections.png"
    shutil.copyfile(made, picture)
    return [
        f"The labels that gained most, median and least by correction, seed {outcome.seed}:",
        f"![Labels before and after their correction]({picture.name})",
    ]


def _arms_table(summaries: Sequence[ArmSummary], candidate: str, score: Score) -> str:
    lines = [
        f"| arm | seeds | {score.value} | by seed | gain of {candidate} (95 % interval) | p | CPU s | peak GB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for summary in summaries:
        by_seed = " ".join(f"{value:.3f}" for value in summary.by_seed.values())
        gain, p = "", ""
        if summary.gain is not None and summary.gain.count:
            low, high = summary.gain.interval
            interval = "" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})"
            gain = f"{summary.gain.difference:+.3f}{interval}"
            p = "" if math.isnan(summary.gain.p) else f"{summary.gain.p:.3g}"
        lines.append(
            f"| {summary.arm} | {len(summary.by_seed)} | {summary.mean:.3f} | {by_seed} | {gain} | {p} "
            f"| {summary.cpu_seconds:.0f} | {summary.peak_memory_gb:.2f} |"
        )
    return "\n".join(lines)


def _labels_table(outcomes: Sequence[Outcome]) -> str:
    if any(label.corrupted for outcome in outcomes for label in outcome.labels):
        return _audit_table([(outcome.seed, audit_labels(outcome.labels)) for outcome in outcomes])
    lines = ["| seed | DSC of the generated labels with the true ones | after the corrections |", "|---|---|---|"]
    for outcome in outcomes:
        generated = [label for label in outcome.labels if label.given_true is not None and label.given_true < 1]
        before, after = (
            np.mean([getattr(label, name) for label in generated]) if generated else math.nan
            for name in ("given_true", "current_true")
        )
        lines.append(f"| {outcome.seed} | {_number(float(before))} | {_number(float(after))} |")
    return "\n".join(lines)


def _audit_table(audits: Sequence[tuple[int, LabelAudit]]) -> str:
    lines = [
        "| seed | AUROC of the suspicion | spoiled among the most suspect | DSC gained by spoiled labels "
        "| DSC gained by good labels |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {seed} | {_number(audit.auroc)} | {_number(audit.precision)} of {audit.top} "
        f"| {_number(audit.corrupted_gain)} | {_number(audit.correct_gain)} |"
        for seed, audit in audits
    ]
    return "\n".join(lines)


def _settings_table(experiment: Experiment, outcomes: Sequence[Outcome]) -> str:
    present = {outcome.arm for outcome in outcomes}
    lines = ["| arm | method | preset | changed settings |", "|---|---|---|---|"]
    for arm in experiment.arms:
        if arm.name in present:
            changes = ", ".join(f"{name}={value}" for name, value in arm_settings(experiment, arm).items())
            labels = "" if arm.labels is GivenLabels.AS_PREPARED else f"; {arm.labels.value}"
            lines.append(f"| {arm.name} | {arm.method}{labels} | {arm.preset} | {changes} |")
    return "\n".join(lines)


def _curves(experiment: Experiment, outcomes: Sequence[Outcome]) -> dict[str, dict[int, list[float]]]:
    curves: dict[str, dict[int, list[float]]] = {}
    for outcome in outcomes:
        curve = curves.setdefault(outcome.arm, {})
        curve.setdefault(experiment.curve[outcome.scenario], []).append(outcome.mean(experiment.score))
    return curves


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"
