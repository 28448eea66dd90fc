"""The names of the training methods and the label qualities that each learns from."""

from __future__ import annotations

from enum import Enum

from AIDELib.case import LabelQuality
from AIDELib.errors import SettingsError


class MethodName(str, Enum):
    """A training method, as it is called on the command line and in files."""

    AIDE = "aide"
    SUPERVISED = "supervised"
    CONVENTIONAL = "conventional"
    PSEUDO_LABEL = "pseudo-label"
    CO_TEACHING = "co-teaching"


def parse_method_name(name: str) -> MethodName:
    """Return the method of that name.

    Raises:
        SettingsError: there is no such method.
    """
    names = [method.value for method in MethodName]
    if name not in names:
        raise SettingsError(f"There is no method '{name}'. The methods are: {', '.join(names)}.")
    return MethodName(name)


def learned_qualities(method: MethodName) -> frozenset[LabelQuality]:
    """Return the qualities of the cases that a method learns from; UNLABELLED cases with generated labels."""
    return frozenset({LabelQuality.HQA}) if method is MethodName.SUPERVISED else frozenset(LabelQuality)


def network_count(method: MethodName) -> int:
    """Return how many networks a method trains side by side."""
    return 2 if method in (MethodName.AIDE, MethodName.CO_TEACHING) else 1
