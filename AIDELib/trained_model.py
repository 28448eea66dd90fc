"""The model that a training leaves: an epoch's networks, and how they came about."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.epoch_score import EpochScore
from AIDELib.model import Model
from AIDELib.model_description import ModelDescription
from AIDELib.slicing import SlicePlan
from AIDELib.stage import Stage
from AIDELib.standardization import Task


def trained_model(stage: Stage, score: EpochScore, dataset: Dataset, plans: tuple[SlicePlan, ...], task: Task) -> Model:
    """Return all networks of a stage where they are to predict together, otherwise the one with the best score.

    Args:
        score: of the epoch that the stage has just done.
        dataset: that it learned from.
        plans: one for each plane that its networks see.
        task: what its labels called for.
    """
    settings = stage.settings
    chosen = range(len(stage.learners)) if settings.ensemble else [int(np.argmax(score.values))]
    kept = score.values if settings.ensemble else [score.values[index] for index in chosen]
    offsets = tuple(tuple(stage.learners[index].offsets.tolist()) for index in chosen)
    counts = Counter(case.quality for case in dataset.select(Split.TRAIN))
    description = ModelDescription(
        channels=dataset.channels,
        structures=dataset.structures,
        plans=plans if len(plans) == 1 else tuple(plans[index] for index in chosen),
        network=settings.network,
        width=settings.network_width,
        network_count=len(chosen),
        largest_component=settings.largest_component,
        training={
            "method": stage.method.name,
            "task": task.value,
            "cases": {quality.value: counts[quality] for quality in LabelQuality},
            "epoch": stage.epoch,
            "score": {"kind": score.kind.value, "value": round(float(np.mean(kept)), 6)},
            "settings": settings.to_json(),
            "torch": str(torch.__version__),
        },
        offsets=offsets if any(map(any, offsets)) else (),
    )
    return Model(description, tuple(dict(stage.learners[index].predictor.state_dict()) for index in chosen))
