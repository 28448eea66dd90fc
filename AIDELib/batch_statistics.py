"""Batch normalization with the statistics of slices as they are, where training saw them augmented.

The running statistics of a training are those of rotated, stretched, brighter and darker slices. Networks predict better
with the statistics of the slices that they predict on, which need no label (AdaBN, Li et al., Pattern Recognition 2018).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from AIDELib.slice_set import SliceSet

# As many slices, evenly spaced, tell the mean and the spread of a feature well enough.
SAMPLED_SLICES = 512
# Half of what a label pass takes at a time on a GPU: in training mode batch normalization needs more room.
PIXELS_PER_BATCH = 2**18


@contextmanager
def estimating_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch normalization take the mean statistics of all batches that pass through the network meanwhile.

    Everything else of the network is in evaluation mode, and afterwards all of it is.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    network.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of all batches, each with the same weight
        layer.train()
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        network.eval()


def batches_for_statistics(slices: SliceSet, indices: Sequence[int], batch_size: int) -> Iterator[Tensor]:
    """Yield batches (B, M, H, W) of slices from all over a set, on the device.

    Args:
        indices: the slices to choose from.
        batch_size: B is a multiple of it, so that processes share each batch equally; slices that fill none are left out.
    """
    height, width = slices.images.shape[2:]
    wanted = batch_size * max(1, PIXELS_PER_BATCH // (height * width * batch_size))
    sample = list(indices[:: max(1, len(indices) // SAMPLED_SLICES)])
    size = min(wanted, len(sample) // batch_size * batch_size)
    count = len(sample) // size if size else 0
    for first in range(count):
        # Every so manieth slice: neighbours of one volume would be too alike.
        yield slices.take(slices.images, sample[first::count][:size])
