"""The models that come before the training proper and label the unlabelled cases (paper, "Task standardization")."""

from __future__ import annotations

from collections.abc import Sequence

from AIDELib.baselines import Supervised, SupervisedOnAllLabels
from AIDELib.case import Case, LabelQuality
from AIDELib.settings import Settings
from AIDELib.training_method import TrainingMethod


def pretraining_method(cases: Sequence[Case], settings: Settings, network_count: int) -> TrainingMethod:
    """Return the method of the models that come before the training proper.

    They learn from HQA cases alone where there are any, otherwise from all labels that people made.

    Args:
        network_count: models that are trained side by side, from different random weights.
    """
    present = {case.quality for case in cases}
    method = Supervised(settings) if LabelQuality.HQA in present else SupervisedOnAllLabels(settings)
    method.network_count = network_count
    method.plane_per_network = network_count > 1
    return method
