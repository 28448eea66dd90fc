"""A model measured on a split of a dataset, as a folder with tables, masks and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from AIDELib.case import Split
from AIDELib.dataset import Dataset
from AIDELib.evaluation import EvaluatedCase, cases_to_evaluate, check_fit, evaluate
from AIDELib.label_comparison import MetricRow
from AIDELib.pictures import PicturesUnavailable, draw_box_plot, draw_overlay
from AIDELib.prediction_files import write_labels
from AIDELib.predictor import Predictor
from AIDELib.report import write_report
from AIDELib.segmentation_file import SEGMENTATION_ENDING
from AIDELib.structure import Structure


@dataclass
class EvaluationReport:
    """What was measured.

    Attributes:
        rows: one per case and structure.
        qubiq_scores: of each case with several raters.
        without_pictures: why there are no pictures; empty where there are.
    """

    rows: list[MetricRow] = field(default_factory=list)
    qubiq_scores: dict[str, float] = field(default_factory=dict)
    without_pictures: str = ""


def write_evaluation_report(
    dataset: Dataset, split: Split, predictor: Predictor, folder: Path, observe: Callable[[int, int], None]
) -> EvaluationReport:
    """Segment the labelled cases of a split, measure, and write `metrics.csv`, `metrics.json`, `boxplot.png`, `masks/` and
    `overlays/` into a folder.

    Args:
        observe: called with the number of cases done and of all; may raise to cancel.

    Raises:
        DatasetError: the split has no labelled case.
        ModelError: the model was not trained for this dataset.
        VolumeError: a file cannot be used; the message names the case.
    """
    check_fit(predictor.description, dataset)
    cases = cases_to_evaluate(dataset, split)
    report = EvaluationReport()
    done = 0

    def use(result: EvaluatedCase) -> None:
        nonlocal done
        report.rows.extend(result.rows)
        if result.qubiq is not None:
            report.qubiq_scores[result.case.id] = result.qubiq
        mask = folder / "masks" / f"{result.case.id}{SEGMENTATION_ENDING}"
        write_labels(result.prediction.labels, dataset.structures, mask)
        _try_to_draw(report, lambda: _draw(result, dataset.structures, folder))
        done += 1
        observe(done, len(cases))

    observe(0, len(cases))
    evaluate(cases, dataset, predictor, use)
    write_report(folder, report.rows, report.qubiq_scores)
    _try_to_draw(report, lambda: draw_box_plot(report.rows, dataset.structures, folder / "boxplot.png"))
    return report


def _try_to_draw(report: EvaluationReport, draw: Callable[[], None]) -> None:
    if report.without_pictures:
        return
    try:
        draw()
    except PicturesUnavailable as error:
        report.without_pictures = str(error)


def _draw(result: EvaluatedCase, structures: Sequence[Structure], folder: Path) -> None:
    dsc = ", ".join(f"{row.structure} {row.metrics.dsc:.3f}" for row in result.rows)
    draw_overlay(
        result.image,
        result.prediction.labels,
        result.reference,
        structures,
        f"{result.case.id}: DSC {dsc}",
        folder / "overlays" / f"{result.case.id}.png",
    )
