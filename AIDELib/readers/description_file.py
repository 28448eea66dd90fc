"""The `dataset.json` that comes with Decathlon and nnU-Net folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from AIDELib.errors import DatasetError
from AIDELib.readers.found_cases import named_structures
from AIDELib.structure import Structure


def read_description(source: Path) -> dict[str, Any]:
    """Return the content of SOURCE/dataset.json.

    Raises:
        DatasetError: it is missing or damaged.
    """
    file = source / "dataset.json"
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise DatasetError(
            f"There is no dataset.json in {source}, as this layout has. Is it the right folder?"
        ) from None
    except ValueError as error:
        raise DatasetError(f"{file} is no valid JSON ({error}).") from None
    if not isinstance(description, dict):
        raise DatasetError(f"{file} does not describe a dataset: it must hold an object.")
    return description


def described_channels(description: dict[str, Any], source: Path) -> tuple[str, ...]:
    """Return the channel names in the order of their numbers."""
    channels: Any = description.get("channel_names", description.get("modality"))
    try:
        return tuple(str(channels[key]) for key in sorted(channels, key=int))
    except (TypeError, ValueError, KeyError):
        raise DatasetError(
            f"{source / 'dataset.json'}: channel_names (or modality) must map numbers to names."
        ) from None


def described_structures(description: dict[str, Any], source: Path) -> tuple[Structure, ...]:
    """Return the structures, the background left out; both ways round, {"1": "liver"} and {"liver": 1}, occur."""
    try:
        pairs = [_name_and_values(key, value) for key, value in description["labels"].items()]
    except (KeyError, AttributeError, TypeError, ValueError):
        raise DatasetError(f"{source / 'dataset.json'}: labels must map names to label values.") from None
    return named_structures([(name, values) for name, values in pairs if 0 not in values and name != "ignore"])


def _name_and_values(key: str, value: Any) -> tuple[str, list[int]]:
    if isinstance(value, str) and key.isdecimal():
        return value, [int(key)]
    return key, [int(one) for one in (value if isinstance(value, list) else [value])]
