"""A model measured on the cases of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case, Split
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError, ModelError, VolumeError
from AIDELib.label import read_label
from AIDELib.label_comparison import MetricRow, compare_labels
from AIDELib.model_description import ModelDescription
from AIDELib.predictor import Prediction, Predictor
from AIDELib.qubiq_score import qubiq_score


@dataclass(frozen=True)
class EvaluatedCase:
    """What a model reached on one case.

    Attributes:
        case: the case.
        image: its first channel.
        prediction: what the model says.
        reference: the case's label map.
        rows: the metrics, one row per structure.
        qubiq: mean over the structures of QUBIQ's score against all raters; None without raters.
    """

    case: Case
    image: sitk.Image
    prediction: Prediction
    reference: sitk.Image
    rows: list[MetricRow]
    qubiq: float | None


def cases_to_evaluate(dataset: Dataset, split: Split) -> tuple[Case, ...]:
    """Return the labelled cases of a split.

    Raises:
        DatasetError: there are none.
    """
    cases = tuple(case for case in dataset.select(split) if case.label is not None)
    if not cases:
        raise DatasetError(
            f"The dataset has no labelled case in split {split.value}, so there is nothing to measure with."
        )
    return cases


def check_fit(model: ModelDescription, dataset: Dataset) -> None:
    """Refuse a dataset that the model was not trained for.

    Raises:
        ModelError: channels or structures differ.
    """
    if model.channels != dataset.channels:
        raise ModelError(
            f"The model needs the channels {', '.join(model.channels)}; the dataset has {', '.join(dataset.channels)}."
        )
    own, other = ([structure.name for structure in structures] for structures in (model.structures, dataset.structures))
    if own != other:
        raise ModelError(f"The model segments {', '.join(own)}; the dataset's structures are {', '.join(other)}.")


def evaluate_case(case: Case, dataset: Dataset, predictor: Predictor) -> EvaluatedCase:
    """Segment a labelled case and measure the result.

    Raises:
        VolumeError: a file cannot be used; the message names the case.
    """
    volumes = read_case(case, dataset)
    if volumes.label is None:
        raise DatasetError(f"Case '{case.id}' has no label to compare with.")
    prediction = predictor.predict(volumes.channels)
    rows = compare_labels(case.id, prediction.labels, volumes.label, dataset.structures)
    raters = _read_raters(case, dataset, volumes.channels[0])
    score = _qubiq(prediction, raters, len(dataset.structures)) if raters else None
    return EvaluatedCase(case, volumes.channels[0], prediction, volumes.label, rows, score)


def evaluate(
    cases: Sequence[Case], dataset: Dataset, predictor: Predictor, use: Callable[[EvaluatedCase], None]
) -> None:
    """Evaluate cases one by one and hand each result on, so that one at a time is in memory."""
    for case in cases:
        use(evaluate_case(case, dataset, predictor))


def _read_raters(case: Case, dataset: Dataset, image: sitk.Image) -> list[sitk.Image]:
    def read(path: Path) -> sitk.Image:
        try:
            return read_label(path, dataset.structures, image, case.images)
        except VolumeError as error:
            raise VolumeError(f"Case '{case.id}': raters: {error}") from None

    return [read(path) for path in case.rater_labels]


def _qubiq(prediction: Prediction, raters: Sequence[sitk.Image], structure_count: int) -> float:
    masks = [sitk.GetArrayViewFromImage(labels) for labels in raters]
    scores = [
        qubiq_score(
            sitk.GetArrayViewFromImage(prediction.probabilities[index]), [labels == index + 1 for labels in masks]
        )
        for index in range(structure_count)
    ]
    return float(np.mean(scores))
