"""Keep what the networks predict as large as the labels that people gave, so that corrections do not feed themselves.

A network that learns by the Dice loss from contradictory outlines takes the larger ones for safer: half a structure more
costs less than half a structure less. Predictions that replace labels would hand this on and add to it each time. Outlines
err to both sides, though, so that the volumes of many labels together are near the truth even where each one is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from AIDELib.case import LabelQuality
from AIDELib.slice_set import SliceSet

# Of a few cases the spread is hardly known. The volumes of organs usually differ by about this share between people; that
# counts as much as the spread of so many cases would.
USUAL_SPREAD = 0.3
USUAL_SPREAD_COUNTS_AS = 2
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
    """What the volumes of the structures should be, and the slices by which they are measured.

    Attributes:
        images: (S, M, H, W), slices of the cases whose labels are in doubt.
        lowest, highest: (C,) share of their pixels of each class: the mean volume of the labels that people gave, less and
            plus its standard error. Rough labels may err to one side, so that what the good ones alone say is also allowed.
    """

    images: Tensor
    lowest: Tensor
    highest: Tensor

    @classmethod
    def of(cls, slices: SliceSet, labels: Tensor, class_count: int) -> VolumeCalibration:
        """Return the calibration by a set's labels as they were given.

        Args:
            labels: (N, H, W); those of unlabelled cases are not looked at.
        """
        labelled = [
            (case.quality, torch.bincount(labels[own.start : own.stop].flatten(), minlength=class_count).double())
            for case, own in zip(slices.cases, slices.ranges, strict=True)
            if case.quality is not LabelQuality.UNLABELLED
        ]
        bounds = [_usual_volumes(torch.stack([volumes for _, volumes in labelled]))]
        good = [volumes for quality, volumes in labelled if quality is LabelQuality.HQA]
        if good:
            bounds.append(_usual_volumes(torch.stack(good)))
        lowest = torch.stack([low for low, _ in bounds]).amin(dim=0)
        highest = torch.stack([high for _, high in bounds]).amax(dim=0)
        doubted = [
            own for case, own in zip(slices.cases, slices.ranges, strict=True) if case.quality is not LabelQuality.HQA
        ]
        doubted = doubted or list(slices.ranges)
        indices = [index for own in doubted for index in own]
        pixels_of_a_case = labels[0].numel() * len(indices) / len(doubted)
        chosen = indices[:: max(1, len(indices) // SAMPLED_SLICES)]
        return cls(
            images=slices.take(slices.images, chosen),
            lowest=(lowest / pixels_of_a_case).float().to(slices.device),
            highest=(highest / pixels_of_a_case).float().to(slices.device),
        )

    def offsets(self, predict: Callable[[Tensor], Tensor], in_force: Tensor) -> Tensor:
        """Return the smallest offsets (C,) of the logits that bring a network's predictions between the two bounds.

        Args:
            predict: images (B, M, H, W) -> probabilities (B, C, H, W), with the offsets in force.
            in_force: (C,) offsets.
        """
        stride = max(1, self.images[:, 0].numel() // SAMPLED_PIXELS)
        samples = [
            predict(images).permute(0, 2, 3, 1).reshape(-1, len(in_force))[::stride]
            for images in self.images.split(BATCH_SIZE)
        ]
        scores = torch.cat(samples).log() - in_force
        own_shares = torch.bincount(scores.argmax(dim=1), minlength=len(in_force)) / len(scores)
        return calibrated_offsets(scores, own_shares.clamp(self.lowest, self.highest))


def _usual_volumes(volumes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean volume (C,) of each class less and plus its standard error, from the volumes (cases, C)."""
    mean = volumes.mean(dim=0)
    squares = ((volumes - mean) ** 2).sum(dim=0) + USUAL_SPREAD_COUNTS_AS * (USUAL_SPREAD * mean) ** 2
    spread = (squares / (len(volumes) - 1 + USUAL_SPREAD_COUNTS_AS)).sqrt()
    error = spread / math.sqrt(len(volumes))
    return mean - error, mean + error


def calibrated_offsets(scores: Tensor, wanted: Tensor) -> Tensor:
    """Return what to add to each class's score so that each structure is the likeliest in the wanted share of the pixels.

    Args:
        scores: (P, C) logits or log-probabilities of pixels.
        wanted: (C,) share of the pixels of each class.

    Returns:
        (C,) from -10 to 3; 0 for the background and for structures that are not wanted anywhere.
    """
    pixels = len(scores)
    offsets = torch.zeros_like(wanted)
    for _ in range(STEPS):
        shares = torch.bincount((scores + offsets).argmax(dim=1), minlength=len(wanted)) / pixels
        step = 0.5 * (wanted.clamp_min(1 / pixels) / shares.clamp_min(1 / pixels)).log().clamp(-1, 1)
        offsets = torch.where(wanted > 0, offsets + step, 0.0).clamp(SMALLEST_OFFSET, LARGEST_OFFSET)
        offsets[0] = 0.0
    return offsets
