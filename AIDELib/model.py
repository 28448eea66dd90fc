"""A trained model and its file (`.aide`): all that is needed to segment, nothing that says whom it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from AIDELib.container import Container, read_tensors, require_memory, write_container
from AIDELib.container_document import ContainerError, opened_container, read_document
from AIDELib.errors import ModelError, SettingsError
from AIDELib.model_description import DOCUMENT_NAME, ModelDescription, model_file, parse_model_document
from AIDELib.networks import create_network, network_shapes


class OffsetLogits(nn.Module):
    """A network to whose logits (B, C, H, W) a number is added for each class.

    Args:
        offsets: C numbers.
    """

    def __init__(self, network: nn.Module, offsets: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("offsets", torch.tensor(offsets).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        # As in training, where the offsets are added in single precision.
        return self.network(images).float() + self.offsets


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
        for index, weights in enumerate(self.weights):
            try:
                network = create_network(own.network, len(own.channels), len(own.structures) + 1, own.width)
                network.load_state_dict(weights)
            except SettingsError as error:
                raise ModelError(f"The model cannot be used: {error}") from None
            except RuntimeError as error:
                raise ModelError(f"The model's weights do not fit its network '{own.network}': {error}") from None
            if own.offsets:
                network = OffsetLogits(network, own.offsets[index])
            networks.append(network.eval().to(device).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
        return tuple(networks)


def save_model(model: Model, path: Path) -> None:
    """Write a model file."""
    tensors = {_group(index): weights for index, weights in enumerate(model.weights)}
    write_container(path, DOCUMENT_NAME, Container(model.description.to_json(), tensors))


def load_model(path: Path) -> Model:
    """Read a model file, or the model of a run folder.

    What the file says about itself is checked first, then the names and shapes of the weights against its network, and
    only then are the weights read.

    Raises:
        ModelError: there is none, it is damaged, or it was written by a newer version.
    """
    file = model_file(path)
    try:
        with opened_container(file) as archive:
            description = parse_model_document(read_document(archive, DOCUMENT_NAME), file)
            groups = [_group(index) for index in range(description.network_count)]
            require_memory(archive, groups)
            classes = len(description.structures) + 1
            shapes = network_shapes(description.network, len(description.channels), classes, description.width)
            weights = tuple(read_tensors(archive, group, shapes) for group in groups)
    except ContainerError as error:
        raise ModelError(f"{file} is no usable AIDE model: {error}.") from None
    except SettingsError as error:
        raise ModelError(f"{file} cannot be used: {error}") from None
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from None
    for name, tensor in ((name, tensor) for own in weights for name, tensor in own.items()):
        if not torch.isfinite(tensor).all():
            raise ModelError(f"{file} is no usable AIDE model: its weights '{name}' are no finite numbers.")
    return Model(description, weights)


def _group(index: int) -> str:
    return f"network{index + 1}"
