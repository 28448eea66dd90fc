"""Keep what the networks predict as large as the labels that people gave, so that corrections do not feed themselves.

A network that learns by the Dice loss from contradictory outlines takes the larger ones for safer: half a structure more
costs less than half a structure less. Predictions that replace labels would hand this on and add to it each time. Outlines
err to both sides, though, so that the volumes of many labels together are near the truth even where each one is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
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
            Volumes are pixels times the distance of the slices.
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
        cases = list(zip(slices.cases, slices.ranges, slices.distances, strict=True))
        labelled = [
            (case.quality, _pixel_counts(labels[own.start : own.stop], class_count) * distance)
            for case, own, distance in cases
            if case.quality is not LabelQuality.UNLABELLED
        ]
        bounds = [_usual_volumes(torch.stack([volumes for _, volumes in labelled]))]
        good = [volumes for quality, volumes in labelled if quality is LabelQuality.HQA]
        if good:
            bounds.append(_usual_volumes(torch.stack(good)))
        lowest = torch.stack([low for low, _ in bounds]).amin(dim=0)
        highest = torch.stack([high for _, high in bounds]).amax(dim=0)
        doubted = [one for one in cases if one[0].quality is not LabelQuality.HQA] or cases
        indices = [index for _, own, _ in doubted for index in own]
        distances = np.array([distance for _, own, distance in doubted for _ in own])
        usual_extent = labels[0].numel() * float(distances.sum()) / len(doubted)
        chosen = [indices[position] for position in _at_even_distances(distances)]
        return cls(
            images=slices.take(slices.images, chosen),
            lowest=(lowest / usual_extent).float().to(slices.device),
            highest=(highest / usual_extent).float().to(slices.device),
        )

    def offsets(self, predict: Callable[[Tensor], Tensor], in_force: Tensor) -> Tensor:
        """Return the smallest offsets (C,) of the logits that bring a network's predictions between the two bounds.

        Args:
            predict: images (B, M, H, W) -> probabilities (B, C, H, W), with the offsets in force.
            in_force: (C,) offsets.
        """
        stride = _stride_through_all_columns(self.images[:, 0].numel() // SAMPLED_PIXELS, self.images.shape[-1])
        samples = [
            predict(images).permute(0, 2, 3, 1).reshape(-1, len(in_force))[::stride]
            for images in self.images.split(BATCH_SIZE)
        ]
        scores = torch.cat(samples).log() - in_force
        own_shares = torch.bincount(scores.argmax(dim=1), minlength=len(in_force)) / len(scores)
        return calibrated_offsets(scores, own_shares.clamp(self.lowest, self.highest))


def _pixel_counts(labels: Tensor, class_count: int) -> Tensor:
    return torch.bincount(labels.flatten(), minlength=class_count).double()


def _at_even_distances(distances: NDArray[np.float64]) -> list[int]:
    """Return positions of slices as far apart in mm, so that cases count by their volume, whatever their slices' distance.

    Args:
        distances: mm from each slice of all cases to the next.
    """
    usual = float(np.median(distances))
    ends = np.cumsum(distances)
    step = usual * max(1, len(distances) // SAMPLED_SLICES)
    points = np.arange(0, ends[-1], step) + usual / 2
    return [int(position) for position in np.searchsorted(ends, points[points < ends[-1]], side="right")]


def _stride_through_all_columns(wanted: int, width: int) -> int:
    """Return the next stride that does not meet the same columns again and again in images of a width."""
    stride = max(1, wanted)
    while math.gcd(stride, width) > 1:
        stride += 1
    return stride


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
