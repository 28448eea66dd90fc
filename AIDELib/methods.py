"""The training methods by name."""

from __future__ import annotations

from AIDELib.aide_method import AIDE
from AIDELib.baselines import Conventional, CoTeaching, PseudoLabel, Supervised
from AIDELib.method_name import MethodName, parse_method_name
from AIDELib.settings import Settings
from AIDELib.training_method import TrainingMethod

METHODS: dict[MethodName, type[TrainingMethod]] = {
    MethodName.AIDE: AIDE,
    MethodName.SUPERVISED: Supervised,
    MethodName.CONVENTIONAL: Conventional,
    MethodName.PSEUDO_LABEL: PseudoLabel,
    MethodName.CO_TEACHING: CoTeaching,
}


def create_method(name: str, settings: Settings) -> TrainingMethod:
    """Return the training method of that name.

    Raises:
        SettingsError: there is no such method.
    """
    return METHODS[parse_method_name(name)](settings)
