"""Keep what the networks predict as large as the labels that people gave, so that corrections do not feed themselves.

A network that learns by the Dice loss from contradictory outlines takes the larger ones for safer: half a structure more
costs less than half a structure less. Predictions that replace labels would hand this on and add to it each time. Outlines
err to both sides, though, so that the volumes of many labels together are near the truth even where each one is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from AIDELib.case import LabelQuality
from AIDELib.slice_set import SliceSet

# The volumes of fewer cases may differ from those of the others by chance.
FEWEST_CASES = 10
# As many slices, evenly spaced, and as many of their pixels, tell the volumes of a large set to a percent.
SAMPLED_SLICES = 256
SAMPLED_PIXELS = 500_000
BATCH_SIZE = 16
STEPS = 30
# A network that has not learned a structure yet is not to be talked into it.
LARGEST_OFFSET = 3.0
SMALLEST_OFFSET = -10.0


@dataclass(frozen=True)
class VolumeCalibration:
    """The slices by which predictions are calibrated.

    Attributes:
        images: (S, M, H, W), slices of cases that people labelled.
        shares: (C,) share of their pixels that the given labels assign to each class.
    """

    images: Tensor
    shares: Tensor

    @classmethod
    def of(cls, slices: SliceSet, labels: Tensor, class_count: int) -> VolumeCalibration | None:
        """Return the calibration by a set's labels as they were given; None where people labelled too few of its cases.

        Args:
            labels: (N, H, W); those of unlabelled cases are not looked at.
        """
        by_people = [case.quality is not LabelQuality.UNLABELLED for case in slices.cases]
        if sum(by_people) < FEWEST_CASES:
            return None
        known = [index for own, indices in zip(by_people, slices.ranges, strict=True) if own for index in indices]
        chosen = torch.tensor(known[:: max(1, len(known) // SAMPLED_SLICES)], device=labels.device)
        counts = torch.bincount(labels[chosen].flatten(), minlength=class_count)
        return cls(slices.images[chosen], counts / counts.sum())

    def offsets(self, predict: Callable[[Tensor], Tensor], in_force: Tensor) -> Tensor:
        """Return the offsets (C,) of the logits with which a network's predictions have the volumes of the labels.

        Args:
            predict: images (B, M, H, W) -> probabilities (B, C, H, W), with the offsets in force.
            in_force: (C,) offsets.
        """
        stride = max(1, self.images[:, 0].numel() // SAMPLED_PIXELS)
        samples = [
            predict(images).permute(0, 2, 3, 1).reshape(-1, len(in_force))[::stride]
            for images in self.images.split(BATCH_SIZE)
        ]
        return calibrated_offsets(torch.cat(samples).log(), in_force, self.shares)


def calibrated_offsets(log_probabilities: Tensor, in_force: Tensor, wanted: Tensor) -> Tensor:
    """Return what to add to each class's logit so that each structure is predicted in the wanted share of the pixels.

    Args:
        log_probabilities: (P, C) of pixels, with the offsets in force already added.
        in_force: (C,) offsets; that of the background is 0.
        wanted: (C,) share of the pixels of each class.

    Returns:
        (C,) from -10 to 3; 0 for the background and for structures that are not wanted anywhere.
    """
    pixels = len(log_probabilities)
    adjusted = in_force.clone()
    for _ in range(STEPS):
        predicted = (log_probabilities + (adjusted - in_force)).argmax(dim=1)
        shares = torch.bincount(predicted, minlength=len(in_force)) / pixels
        step = 0.5 * (wanted.clamp_min(1 / pixels) / shares.clamp_min(1 / pixels)).log().clamp(-1, 1)
        adjusted = torch.where(wanted > 0, adjusted + step, 0.0).clamp(SMALLEST_OFFSET, LARGEST_OFFSET)
        adjusted[0] = 0.0
    return adjusted
