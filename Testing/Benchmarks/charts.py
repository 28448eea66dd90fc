"""Figures of an experiment. They need matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from Testing.Benchmarks.outcome import LabelOutcome, Outcome
from Testing.Benchmarks.score import Score

_GOOD, _SPOILED = "#0072b2", "#d55e00"
_STRUCTURES = (_SPOILED, "#56b4e9", "#009e73", "#f0e442")


def draw_arms(outcomes: Sequence[Outcome], title: str, score: Score, path: Path) -> None:
    """Draw one box per arm: the test cases' scores, each the mean over the seeds."""
    arms = list(dict.fromkeys(outcome.arm for outcome in outcomes))
    figure = _figure(7.0, 0.9 + 0.42 * len(arms))
    axes = figure.add_subplot()
    values = [_case_means([outcome for outcome in outcomes if outcome.arm == arm], score) for arm in arms]
    positions = np.arange(len(arms))[::-1]
    axes.boxplot(values, positions=positions, orientation="horizontal", widths=0.6, flierprops={"markersize": 3})
    axes.scatter([np.mean(own) for own in values], positions, marker="D", s=18, color=_SPOILED, zorder=3)
    axes.set_yticks(positions, arms)
    axes.set_xlabel(f"{score.value} of the test cases (diamond: mean)")
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def draw_labels(labels: Sequence[LabelOutcome], title: str, path: Path) -> None:
    """Draw how far the prediction agrees with the given label against how good that label is."""
    figure = _figure(4.6, 4.2)
    axes = figure.add_subplot()
    for corrupted, color, name in ((False, _GOOD, "as it was"), (True, _SPOILED, "spoiled")):
        own = [label for label in labels if label.corrupted is corrupted and label.given_true is not None]
        if own:
            pairs = np.array([(label.given_true, label.prediction_given) for label in own], dtype=float)
            axes.scatter(pairs[:, 0], pairs[:, 1], s=16, color=color, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("DSC(given label, true label)")
    axes.set_ylabel("DSC(prediction, given label)")
    axes.set_title(title)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def draw_curve(curves: Mapping[str, Mapping[int, Sequence[float]]], path: Path) -> None:
    """Draw mean DSC against the number of labelled cases.

    Args:
        curves: for each arm, for each number of labelled cases, the mean DSC of each seed.
    """
    figure = _figure(5.6, 3.8)
    axes = figure.add_subplot()
    for name, points in curves.items():
        counts = sorted(points)
        means = np.array([np.mean(points[count]) for count in counts])
        spreads = np.array([np.std(points[count]) for count in counts])
        (line,) = axes.plot(counts, means, marker="o", label=name)
        axes.fill_between(counts, means - spreads, means + spreads, color=line.get_color(), alpha=0.15)
    axes.set_xscale("log", base=2)
    ticks = sorted({count for points in curves.values() for count in points})
    axes.set_xticks(ticks, [str(count) for count in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("labelled cases")
    axes.set_ylabel("DSC")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


@dataclass(frozen=True)
class LabelledSlice:
    """One slice under several label maps.

    Attributes:
        title: for the reader.
        image: (H, W).
        labels: label maps (H, W) by name, 0 the background.
        aspect: height of a pixel as a multiple of its width.
    """

    title: str
    image: NDArray[np.floating]
    labels: Mapping[str, NDArray[np.integer]]
    aspect: float


def draw_corrections(slices: Sequence[LabelledSlice], path: Path) -> None:
    """Draw one row per slice, which all have the same names of label maps, and one column per label map."""
    columns = len(slices[0].labels)
    figure = _figure(2.1 * columns, 2.3 * len(slices))
    for row, one in enumerate(slices):
        low, high = np.percentile(one.image, [0.5, 99.5])
        for column, (name, labels) in enumerate(one.labels.items()):
            axes = figure.add_subplot(len(slices), columns, row * columns + column + 1)
            axes.imshow(one.image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=one.aspect)
            for value, color in zip(range(1, int(labels.max()) + 1), cycle(_STRUCTURES), strict=False):
                if (labels == value).any():
                    axes.contour(labels == value, levels=[0.5], colors=[color], linewidths=1.4)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            if row == 0:
                axes.set_title(name, fontsize=9)
            if column == 0:
                axes.set_ylabel(one.title, fontsize=7)
    _save(figure, path)


def _case_means(outcomes: Sequence[Outcome], score: Score) -> list[float]:
    by_case: dict[str, list[float]] = {}
    for outcome in outcomes:
        for case, value in outcome.by_case(score).items():
            by_case.setdefault(case, []).append(value)
    return [float(np.mean(values)) for values in by_case.values()]


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
