"""The models that label the unlabelled cases before the training proper (paper, "Task standardization")."""

from __future__ import annotations

from collections.abc import Sequence

from AIDELib.baselines import Supervised, SupervisedOnAllLabels
from AIDELib.case import Case, LabelQuality
from AIDELib.settings import Settings
from AIDELib.training_method import TrainingMethod


def pretraining_method(cases: Sequence[Case], settings: Settings, network_count: int) -> TrainingMethod:
    """Return the method of the models that label the unlabelled cases: on HQA cases alone where there are any.

    Args:
        network_count: models that are trained side by side, from different random weights.
    """
    trusted = any(case.quality is LabelQuality.HQA for case in cases)
    method = Supervised(settings) if trusted else SupervisedOnAllLabels(settings)
    method.network_count = network_count
    return method
