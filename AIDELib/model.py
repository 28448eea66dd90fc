"""A trained model and its file (`.aide`): all that is needed to segment, nothing that says whom it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from AIDELib.container import Container, read_container, write_container
from AIDELib.container_document import ContainerError
from AIDELib.errors import ModelError, SettingsError
from AIDELib.model_description import DOCUMENT_NAME, ModelDescription, model_file, parse_model_document
from AIDELib.networks import create_network


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        description: what it segments, on which channels, and how.
        weights: the weights of each network of the ensemble.
    """

    description: ModelDescription
    weights: tuple[dict[str, Tensor], ...]

    def create_networks(self, device: torch.device) -> tuple[nn.Module, ...]:
        """Return the networks with their weights, in evaluation mode.

        Raises:
            ModelError: the network is unknown, or the weights are those of another one.
        """
        own = self.description
        networks = []
        for weights in self.weights:
            try:
                network = create_network(own.network, len(own.channels), len(own.structures) + 1, own.width)
                network.load_state_dict(weights)
            except SettingsError as error:
                raise ModelError(f"The model cannot be used: {error}") from None
            except RuntimeError as error:
                raise ModelError(f"The model's weights do not fit its network '{own.network}': {error}") from None
            networks.append(network.eval().to(device).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
        return tuple(networks)


def save_model(model: Model, path: Path) -> None:
    """Write a model file."""
    tensors = {f"network{index + 1}": weights for index, weights in enumerate(model.weights)}
    write_container(path, DOCUMENT_NAME, Container(model.description.to_json(), tensors))


def load_model(path: Path) -> Model:
    """Read a model file, or the model of a run folder.

    Raises:
        ModelError: there is none, it is damaged, or it was written by a newer version.
    """
    file = model_file(path)
    try:
        container = read_container(file, DOCUMENT_NAME)
    except ContainerError as error:
        raise ModelError(f"{file} is no usable AIDE model: {error}.") from None
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from None
    description = parse_model_document(container.document, file)
    names = [f"network{index + 1}" for index in range(description.network_count)]
    missing = [name for name in names if name not in container.tensors]
    if missing or not names:
        raise ModelError(
            f"{file} is no usable AIDE model: the weights of {', '.join(missing) or 'all networks'} are missing."
        )
    return Model(description, tuple(container.tensors[name] for name in names))
