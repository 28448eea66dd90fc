"""The networks that a run can train, by name; any other torch module can be added."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from AIDELib.errors import SettingsError
from AIDELib.multi_stream_unet import MultiStreamUNet
from AIDELib.tensor_header import TensorShape

# (channels M, classes C, width) -> module from images (B, M, H, W) to logits (B, C, H, W), H and W multiples of 16.
NetworkFactory = Callable[[int, int, int], nn.Module]


def _leaky_multi_stream_unet(channels: int, classes: int, width: int) -> nn.Module:
    prior = min(0.02, 0.2 / classes)
    return MultiStreamUNet(channels, classes, width, negative_slope=0.1, foreground_prior=prior)


_FACTORIES: dict[str, NetworkFactory] = {
    "multi-stream-unet": MultiStreamUNet,
    "leaky-multi-stream-unet": _leaky_multi_stream_unet,
}


def register_network(name: str, factory: NetworkFactory) -> None:
    """Make a network available under a name, for training and for reading the models trained with it.

    Only code that the user runs can register a network; a model file names one and never brings one.
    """
    _FACTORIES[name] = factory


def create_network(name: str, channels: int, classes: int, width: int) -> nn.Module:
    """Return a new network with random weights, drawn from torch's global generator.

    Raises:
        SettingsError: no network of that name is registered.
    """
    if name not in _FACTORIES:
        raise SettingsError(
            f"There is no network '{name}'. Known networks are: {', '.join(sorted(_FACTORIES))}. "
            "A network of your own must be registered with AIDELib.networks.register_network first."
        )
    return _FACTORIES[name](channels, classes, width)


def network_shapes(name: str, channels: int, classes: int, width: int) -> dict[str, TensorShape]:
    """Return the shapes of a network's weights by name, without making room for them.

    Raises:
        SettingsError: no network of that name is registered.
    """
    with torch.device("meta"):
        network = create_network(name, channels, classes, width)
    return {
        name: TensorShape(tuple(tensor.shape), tensor.is_floating_point())
        for name, tensor in network.state_dict().items()
    }
