"""The pass over all cases after an epoch: what the networks predict, and how far it agrees with labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.label_correction import agreement
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.second_plane import SecondPlane
from AIDELib.slice_set import SliceSet
from AIDELib.transfer import on_device

# Batches of this many pixels keep the features of a wide network within about 1 GB.
PIXELS_PER_BATCH = 2**19
# A CPU computes the same, but for rounding, 15 % faster from one slice at a time, whose features its caches can hold.
PIXELS_PER_BATCH_ON_CPU = 2**16


# Images (B, M, H, W) -> probabilities (B, C, H, W), in all processes of a group alike.
Predict = Callable[[Tensor], Tensor]
# Label map (Z, H, W) -> label map.
Clean = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True)
class PlanePrediction:
    """What two networks that see different planes predict for a case.

    Attributes:
        first, second: probabilities (C, Z, H, W) of each network, in the first plane.
    """

    first: NDArray[np.float32]
    second: NDArray[np.float32]

    @property
    def joint(self) -> NDArray[np.float32]:
        """The mean of both."""
        return np.float32(0.5) * (self.first + self.second)


def slices_per_batch(height: int, width: int, device: torch.device) -> int:
    """Return how many slices a pass without gradient takes best at a time."""
    pixels = PIXELS_PER_BATCH_ON_CPU if device.type == "cpu" else PIXELS_PER_BATCH
    return max(1, pixels // (height * width))


def predict_labels(
    predict: Predict, slices: SliceSet, clean: Clean, group: ProcessGroup = ALONE
) -> list[NDArray[np.uint8]]:
    """Return the predicted label map (Z, H, W) of each case.

    Args:
        clean: post-processing of a label map.
    """
    predicted = slices.storage.settle(slices.storage.labels(len(slices.images), *slices.images.shape[2:]))
    height, width = slices.images.shape[2:]
    batch_size = group.size * slices_per_batch(height, width, slices.device)
    for start in range(0, len(predicted), batch_size):
        probabilities = predict(on_device(slices.images[start : start + batch_size], slices.device))
        predicted[start : start + batch_size] = probabilities.argmax(dim=1)
    on_host = predicted.cpu()
    return group.map(
        lambda index: clean(slices.case_labels(on_host, index)),
        range(len(slices.cases)),
    )


def predict_in_planes(
    predict: tuple[Predict, Predict], second: SecondPlane, group: ProcessGroup = ALONE
) -> Iterator[PlanePrediction]:
    """Yield what two networks predict for each case, each in its plane.

    Args:
        predict: as for `predict_labels`, of the network of the first and of the second plane.
    """
    for index in range(len(second.first.cases)):
        own = _case_probabilities(predict[0], second.first, index, group)
        other = second.turned_back(_case_probabilities(predict[1], second.slices, index, group), index)
        yield PlanePrediction(own, other)


def _case_probabilities(
    predict: Predict, slices: SliceSet, case_index: int, group: ProcessGroup
) -> NDArray[np.float32]:
    """Return the probabilities (C, Z, H, W) of a case without padding."""
    own = slices.ranges[case_index]
    height, width = slices.images.shape[2:]
    batch_size = group.size * slices_per_batch(height, width, slices.device)
    placement = slices.placements[case_index]
    parts = [
        predict(on_device(slices.images[start : min(start + batch_size, own.stop)], slices.device))[
            :, :, *placement
        ].cpu()
        for start in range(own.start, own.stop, batch_size)
    ]
    return torch.cat(parts).permute(1, 0, 2, 3).float().numpy()


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
