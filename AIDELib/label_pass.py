"""The pass over all cases after an epoch: what the networks predict, and how far it agrees with labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.label_correction import agreement
from AIDELib.postprocessing import keep_largest_components
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.slice_set import SliceSet
from AIDELib.transfer import on_device

# Batches of this many pixels keep the features of a wide network within about 1 GB.
PIXELS_PER_BATCH = 2**19
# A CPU computes the same, but for rounding, 15 % faster from one slice at a time, whose features its caches can hold.
PIXELS_PER_BATCH_ON_CPU = 2**16


def slices_per_batch(height: int, width: int, device: torch.device) -> int:
    """Return how many slices a pass without gradient takes best at a time."""
    pixels = PIXELS_PER_BATCH_ON_CPU if device.type == "cpu" else PIXELS_PER_BATCH
    return max(1, pixels // (height * width))


def predict_labels(
    predict: Callable[[Tensor], Tensor], slices: SliceSet, structure_count: int, group: ProcessGroup = ALONE
) -> list[NDArray[np.uint8]]:
    """Return the predicted label map (Z, H, W) of each case, each structure's largest component only.

    Args:
        predict: images (B, M, H, W) -> probabilities (B, C, H, W), in all processes of the group alike.
    """
    predicted = slices.storage.settle(slices.storage.labels(len(slices.images), *slices.images.shape[2:]))
    height, width = slices.images.shape[2:]
    batch_size = group.size * slices_per_batch(height, width, slices.device)
    for start in range(0, len(predicted), batch_size):
        probabilities = predict(on_device(slices.images[start : start + batch_size], slices.device))
        predicted[start : start + batch_size] = probabilities.argmax(dim=1)
    on_host = predicted.cpu()
    return group.map(
        lambda index: keep_largest_components(slices.case_labels(on_host, index), structure_count),
        range(len(slices.cases)),
    )


def agreements_with(
    predictions: Sequence[NDArray[np.uint8]],
    labels: Tensor,
    slices: SliceSet,
    structure_count: int,
    group: ProcessGroup = ALONE,
) -> list[float]:
    """Return the agreement (0 to 1) of each case's prediction with its labels in a (N, H, W) tensor."""
    on_host = labels.cpu()
    return group.map(
        lambda index: agreement(predictions[index], slices.case_labels(on_host, index), structure_count),
        range(len(predictions)),
    )
