"""A trained model and its file (`.aide`): all that is needed to segment, nothing that says whom it was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from AIDELib import __version__
from AIDELib.container import Container, ContainerError, read_container, write_container
from AIDELib.errors import DatasetError, ModelError, SettingsError
from AIDELib.networks import create_network
from AIDELib.settings import Normalization
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.structure import Structure

FORMAT = "aide-model/1"
ENDING = ".aide"
_DOCUMENT = "model.json"


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        channels: names of the image channels in the order in which images are given.
        structures: what it segments; structure i is class i + 1.
        plan: how volumes are cut into slices.
        network: name of the network; `width` its width.
        weights: the weights of each network of the ensemble.
        largest_component: whether each structure's largest component alone is kept.
        training: summary of the training for the user (JSON values).
    """

    channels: tuple[str, ...]
    structures: tuple[Structure, ...]
    plan: SlicePlan
    network: str
    width: int
    weights: tuple[dict[str, Tensor], ...]
    largest_component: bool
    training: dict[str, Any] = field(default_factory=dict)

    def create_networks(self, device: torch.device) -> tuple[nn.Module, ...]:
        """Return the networks with their weights, in evaluation mode.

        Raises:
            ModelError: the network is unknown, or the weights are those of another one.
        """
        networks = []
        for weights in self.weights:
            try:
                network = create_network(self.network, len(self.channels), len(self.structures) + 1, self.width)
                network.load_state_dict(weights)
            except SettingsError as error:
                raise ModelError(f"The model cannot be used: {error}") from None
            except RuntimeError as error:
                raise ModelError(f"The model's weights do not fit its network '{self.network}': {error}") from None
            networks.append(network.eval().to(device).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
        return tuple(networks)


def save_model(model: Model, path: Path) -> None:
    """Write a model file."""
    document = {
        "format": FORMAT,
        "version": __version__,
        "channels": [{"name": name, "normalization": model.plan.normalization.value} for name in model.channels],
        "structures": [
            {"name": structure.name, "value": list(structure.values), "color": list(structure.color)}
            for structure in model.structures
        ],
        "slices": {"orientation": model.plan.orientation.value, "spacing": list(model.plan.spacing)},
        "network": {"name": model.network, "width": model.width, "count": len(model.weights)},
        "largest_component": model.largest_component,
        "training": model.training,
    }
    tensors = {f"network{index + 1}": weights for index, weights in enumerate(model.weights)}
    write_container(path, _DOCUMENT, Container(document, tensors))


def load_model(path: Path) -> Model:
    """Read a model file, or the model of a run folder.

    Raises:
        ModelError: there is none, it is damaged, or it was written by a newer version.
    """
    file = path / "model.aide" if path.is_dir() else path
    if not file.exists():
        what = f"The run {path} has no model yet" if path.is_dir() else f"There is no model file {path}"
        raise ModelError(f"{what}. A model is written after the first epoch of the training proper.")
    try:
        container = read_container(file, _DOCUMENT)
    except ContainerError as error:
        raise ModelError(f"{file} is no usable AIDE model: {error}.") from None
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from None
    if container.document.get("format") != FORMAT:
        raise ModelError(
            f"{file} has the format '{container.document.get('format')}', but this version of AIDE reads '{FORMAT}'."
        )
    try:
        return _parse(container)
    except (KeyError, TypeError, ValueError, DatasetError) as error:
        raise ModelError(f"{file} is no usable AIDE model: its description is damaged ({error!r}).") from None


def _parse(container: Container) -> Model:
    document = container.document
    normalizations = {Normalization(channel["normalization"]) for channel in document["channels"]}
    if len(normalizations) != 1:
        raise ValueError("channels with different normalization")
    x, y = (float(value) for value in document["slices"]["spacing"])
    if not (0 < x < math.inf and 0 < y < math.inf):
        raise ValueError(f"spacing {x}, {y}")
    plan = SlicePlan(SliceOrientation(document["slices"]["orientation"]), (x, y), normalizations.pop())
    red_green_blue = [tuple(int(part) for part in entry["color"]) for entry in document["structures"]]
    return Model(
        channels=tuple(str(channel["name"]) for channel in document["channels"]),
        structures=tuple(
            Structure(str(entry["name"]), tuple(int(value) for value in entry["value"]), color)  # type: ignore[arg-type]
            for entry, color in zip(document["structures"], red_green_blue, strict=True)
        ),
        plan=plan,
        network=str(document["network"]["name"]),
        width=int(document["network"]["width"]),
        weights=tuple(container.tensors[f"network{index + 1}"] for index in range(int(document["network"]["count"]))),
        largest_component=bool(document["largest_component"]),
        training=dict(document["training"]),
    )
