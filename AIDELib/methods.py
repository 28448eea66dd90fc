"""The training methods by name."""

from __future__ import annotations

from AIDELib.aide_method import AIDE
from AIDELib.baselines import Conventional, CoTeaching, PseudoLabel, Supervised
from AIDELib.errors import SettingsError
from AIDELib.settings import Settings
from AIDELib.training_method import TrainingMethod

METHODS: dict[str, type[TrainingMethod]] = {
    method.name: method for method in (AIDE, Supervised, Conventional, PseudoLabel, CoTeaching)
}


def create_method(name: str, settings: Settings) -> TrainingMethod:
    """Return the training method of that name.

    Raises:
        SettingsError: there is no such method.
    """
    if name not in METHODS:
        raise SettingsError(f"There is no method '{name}'. The methods are: {', '.join(METHODS)}.")
    return METHODS[name](settings)
