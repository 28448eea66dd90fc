"""Labels for the unlabelled cases, from networks pretrained on the labelled ones (paper, "Task standardization")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.label_files import LabelFiles
from AIDELib.pretraining import pretraining_method
from AIDELib.progress import Progress
from AIDELib.run_slices import RunSlices
from AIDELib.run_stages import PRETRAINING, TRAINING, RunStages
from AIDELib.slice_set import CaseSlices
from AIDELib.stage import Stage
from AIDELib.training_method import TrainingMethod


@dataclass(frozen=True)
class GeneratedLabels:
    """What the pretraining leaves to the training.

    Attributes:
        by_case: label map (Z, H, W) of each unlabelled case by its id.
        weights: of each network that the training starts from; none where it starts from random ones.
    """

    by_case: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    weights: tuple[dict[str, Tensor], ...] = ()


def generate_labels(
    cut: Sequence[CaseSlices],
    method: TrainingMethod,
    stages: RunStages,
    slices: RunSlices,
    files: LabelFiles,
    progress: Progress,
) -> GeneratedLabels:
    """Pretrain on the labelled cases, and label the unlabelled ones that a method learns from.

    A run that goes on in the middle of its training gets labels of the right shape alone: its checkpoint has them all.

    Args:
        cut: the training cases.
        method: of the training that follows.

    Raises:
        StopRequested: somebody wants the run to end.
    """
    unlabelled = [case for case in cut if case.labels is None and method.learns_from(case.case)]
    if not unlabelled:
        return GeneratedLabels()
    if stages.checkpoint_of(TRAINING) is not None:
        return GeneratedLabels({case.case.id: np.zeros(case.images[:, 0].shape, np.uint8) for case in unlabelled})
    stage = _pretrain(cut, method, stages)
    first = slices.first_plane(unlabelled)
    second = None if stage.second is None else slices.second_plane(unlabelled, first)
    stage.look_at(first, second)
    predicted = stage.predict_jointly(first, second)
    files.write_generated(first.cases, predicted)
    ids = [case.case.id for case in unlabelled]
    progress.event("labelled", cases=ids)
    return GeneratedLabels(dict(zip(ids, predicted, strict=True)), _weights_to_start_from(stage))


def _pretrain(cut: Sequence[CaseSlices], method: TrainingMethod, stages: RunStages) -> Stage:
    settings = method.settings
    networks = method.network_count if settings.pretrained_start else 1
    teacher = pretraining_method([case.case for case in cut], settings, networks)
    learned = [case for case in cut if teacher.learns_from(case.case)]
    stage, given = stages.begin(PRETRAINING, teacher, settings.pretraining_epochs, learned)
    while stage.epoch < stage.epochs:
        stages.run_epoch(stage, later_epochs=settings.epochs)
        stages.save(stage, given, {})
    return stage


def _weights_to_start_from(stage: Stage) -> tuple[dict[str, Tensor], ...]:
    if not stage.settings.pretrained_start:
        return ()
    return tuple(dict(learner.predictor.state_dict()) for learner in stage.learners)
