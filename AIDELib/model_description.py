"""What a model file says about the model, readable without its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from AIDELib import __version__
from AIDELib.container_document import ContainerError, opened_container, read_document
from AIDELib.errors import DatasetError, ModelError
from AIDELib.settings import Normalization
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.structure import Structure

FORMAT = "aide-model/1"
ENDING = ".aide"
DOCUMENT_NAME = "model.json"


@dataclass(frozen=True)
class ModelDescription:
    """A trained model without its weights.

    Attributes:
        channels: names of the image channels in the order in which images are given.
        structures: what it segments; structure i is class i + 1.
        plan: how volumes are cut into slices.
        network: name of the network; `width` its width; `network_count` how many of them predict together.
        largest_component: whether each structure's largest component alone is kept.
        training: summary of the training for the user (JSON values): "method", "task", "cases" (counts by quality),
            "epoch", "score" ("kind", "value"), "settings", "torch".
    """

    channels: tuple[str, ...]
    structures: tuple[Structure, ...]
    plan: SlicePlan
    network: str
    width: int
    network_count: int
    largest_component: bool
    training: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the document of the model file."""
        return {
            "format": FORMAT,
            "version": __version__,
            "channels": [{"name": name, "normalization": self.plan.normalization.value} for name in self.channels],
            "structures": [
                {
                    "name": structure.name,
                    "value": list(structure.values),
                    "color": list(structure.color),
                    "terminology": structure.terminology,
                }
                for structure in self.structures
            ],
            "slices": {"orientation": self.plan.orientation.value, "spacing": list(self.plan.spacing)},
            "network": {"name": self.network, "width": self.width, "count": self.network_count},
            "largest_component": self.largest_component,
            "training": self.training,
        }


def read_model_description(path: Path) -> ModelDescription:
    """Return what a model file, or the model of a run folder, says about itself.

    Raises:
        ModelError: there is none, it is damaged, or it was written by a newer version.
    """
    file = model_file(path)
    try:
        with opened_container(file) as archive:
            return parse_model_document(read_document(archive, DOCUMENT_NAME), file)
    except ContainerError as error:
        raise ModelError(f"{file} is no usable AIDE model: {error}.") from None
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from None


def model_file(path: Path) -> Path:
    """Return the model file that a path names: itself, or the one in a run folder.

    Raises:
        ModelError: there is none.
    """
    file = path / f"model{ENDING}" if path.is_dir() else path
    if not file.exists():
        what = f"The run {path} has no model yet" if path.is_dir() else f"There is no model file {path}"
        raise ModelError(f"{what}. A model is written after the first epoch of the training proper.")
    return file


def parse_model_document(document: dict[str, Any], file: Path) -> ModelDescription:
    """Return what a model file's document says.

    Raises:
        ModelError: it is of another format or damaged; the message names the file.
    """
    if document.get("format") != FORMAT:
        raise ModelError(
            f"{file} has the format '{document.get('format')}', but this version of AIDE reads '{FORMAT}'."
        )
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, DatasetError) as error:
        raise ModelError(f"{file} is no usable AIDE model: its description is damaged ({error!r}).") from None


def _parse(document: dict[str, Any]) -> ModelDescription:
    normalizations = {Normalization(channel["normalization"]) for channel in document["channels"]}
    if len(normalizations) != 1:
        raise ValueError("channels with different normalization")
    x, y = (float(value) for value in document["slices"]["spacing"])
    if not (0 < x < math.inf and 0 < y < math.inf):
        raise ValueError(f"spacing {x}, {y}")
    plan = SlicePlan(SliceOrientation(document["slices"]["orientation"]), (x, y), normalizations.pop())
    return ModelDescription(
        channels=tuple(str(channel["name"]) for channel in document["channels"]),
        structures=tuple(_parse_structure(entry) for entry in document["structures"]),
        plan=plan,
        network=str(document["network"]["name"]),
        width=int(document["network"]["width"]),
        network_count=int(document["network"]["count"]),
        largest_component=bool(document["largest_component"]),
        training=dict(document["training"]),
    )


def _parse_structure(entry: dict[str, Any]) -> Structure:
    red, green, blue = (int(part) for part in entry["color"])
    values = tuple(int(value) for value in entry["value"])
    return Structure(str(entry["name"]), values, (red, green, blue), str(entry["terminology"]))
