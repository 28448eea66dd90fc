"""Pictures of an evaluation and of a training. They need matplotlib, which is optional."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.errors import AIDEError
from AIDELib.grid import as_volume
from AIDELib.label_comparison import MetricRow
from AIDELib.statistics import METRIC_NAMES
from AIDELib.structure import Structure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_METRIC_LABELS = {"dsc": "DSC", "ravd": "RAVD", "assd": "ASSD (mm)", "mssd": "MSSD (mm)"}
# Height by width of an overlay; more extreme images are drawn within.
_FLATTEST, _STEEPEST = 0.2, 3.0


class PicturesUnavailable(AIDEError):
    """matplotlib is not installed."""


def draw_box_plot(rows: Sequence[MetricRow], structures: Sequence[Structure], path: Path) -> None:
    """Draw the metrics of all cases, one panel per metric, one box per structure.

    Raises:
        PicturesUnavailable: matplotlib is not installed.
    """
    # Two by two, to be legible in a narrow panel.
    figure = _figure(5.4, 5.0)
    for position, name in enumerate(METRIC_NAMES):
        axes = figure.add_subplot(2, 2, position + 1)
        for place, structure in enumerate(structures):
            values = np.array([getattr(row.metrics, name) for row in rows if row.structure == structure.name])
            values = values[np.isfinite(values)]
            color = _rgb(structure)
            axes.boxplot(
                [values],
                positions=[place],
                widths=0.55,
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": (*color, 0.35), "edgecolor": color},
                medianprops={"color": "black"},
            )
            # Side by side in a fixed pattern: chance would draw another picture of the same numbers each time.
            offsets = np.resize(np.linspace(-0.18, 0.18, 7), len(values))
            axes.scatter(place + offsets, values, s=9, color=color, edgecolors="black", linewidths=0.3, zorder=3)
        axes.set_xticks(range(len(structures)), [structure.name for structure in structures], rotation=25, ha="right")
        axes.set_xlim(-0.6, len(structures) - 0.4)
        axes.set_title(_METRIC_LABELS[name])
        if name == "dsc":
            axes.set_ylim(min(0.5, axes.get_ylim()[0]), 1.0)
        else:
            axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def draw_overlay(
    image: sitk.Image,
    prediction: sitk.Image,
    reference: sitk.Image,
    structures: Sequence[Structure],
    title: str,
    path: Path,
) -> None:
    """Draw the middle slice of a case with the outlines of the reference (dashed) and the prediction (solid).

    The middle is that of the reference, or of the image where the reference is empty; the slice is the one of the
    image's own third axis.

    Args:
        image: the first channel; `prediction` and `reference` are label maps on its grid.

    Raises:
        PicturesUnavailable: matplotlib is not installed.
    """
    grey, predicted, expected = (sitk.GetArrayFromImage(as_volume(one)) for one in (image, prediction, reference))
    index = _middle_slice(expected)
    spacing = as_volume(image).GetSpacing()
    height, width = grey.shape[1] * spacing[1], grey.shape[2] * spacing[0]
    figure = _figure(5.2, 5.2 * min(max(height / width, _FLATTEST), _STEEPEST) + 0.7)
    axes = figure.add_subplot()
    low, high = np.percentile(grey[index], [0.5, 99.5])
    axes.imshow(grey[index], cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=spacing[1] / spacing[0])
    for position, structure in enumerate(structures):
        for labels, style, width_points in ((expected, "dashed", 1.2), (predicted, "solid", 1.6)):
            mask = labels[index] == position + 1
            # A line of pixels has no outline.
            if min(mask.shape) > 1 and mask.any() and not mask.all():
                axes.contour(mask, levels=[0.5], colors=[_rgb(structure)], linestyles=style, linewidths=width_points)
        axes.plot([], [], color=_rgb(structure), label=structure.name)
    axes.plot([], [], color="grey", linestyle="dashed", label="reference")
    axes.plot([], [], color="grey", linestyle="solid", label="prediction")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=7, frameon=False)
    _save(figure, path)


def draw_training(events: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw loss and agreement of the networks over the epochs of the training proper.

    Args:
        events: the run's events.

    Raises:
        PicturesUnavailable: matplotlib is not installed.
    """
    # An epoch that was repeated after an interruption counts as it went the last time.
    epochs = {event["epoch"]: event for event in events if event["event"] == "epoch" and event["stage"] == "training"}
    validation = {event["epoch"]: event for event in events if event["event"] == "validation"}
    figure = _figure(9.0, 3.4)
    for position, (key, title) in enumerate((("loss", "Loss"), ("agreement", "DSC with the current labels"))):
        axes = figure.add_subplot(1, 2, position + 1)
        for network in range(len(next(iter(epochs.values()))[key]) if epochs else 0):
            axes.plot(list(epochs), [event[key][network] for event in epochs.values()], label=f"network {network + 1}")
        if key == "agreement" and validation:
            # Of each network, or of both where they are one model.
            for network, values in enumerate(zip(*(event["dsc"] for event in validation.values()), strict=True)):
                name = f"network {network + 1}" if len(next(iter(validation.values()))["dsc"]) > 1 else "model"
                axes.plot(list(validation), values, linestyle="dashed", label=f"{name}, validation")
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.spines[["top", "right"]].set_visible(False)
        if epochs:
            axes.legend(fontsize=7, frameon=False)
    _save(figure, path)


def _middle_slice(labels: NDArray[np.integer]) -> int:
    occupied = np.flatnonzero(labels.any(axis=(1, 2)))
    return int(occupied[len(occupied) // 2]) if len(occupied) else labels.shape[0] // 2


def _rgb(structure: Structure) -> tuple[float, float, float]:
    red, green, blue = (part / 255 for part in structure.color)
    return red, green, blue


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise PicturesUnavailable("Pictures need matplotlib, which is not installed: pip install matplotlib") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
