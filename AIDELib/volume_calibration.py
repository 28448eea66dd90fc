"""Keep what the networks predict as large as the labels they were given, so that corrections do not feed themselves.

A network that learns by the Dice loss from contradictory outlines takes the larger ones for safer: half a structure more
costs less than half a structure less. Predictions that replace labels would hand this on and add to it each time. Outlines
err to both sides, though, so that the volumes of all labels together are near the truth even where each one is not.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Enough for volumes to a percent; all pixels of a large set would fill the memory.
SAMPLED_PIXELS = 1_000_000
STEPS = 30
# A network that has not learned a structure yet is not to be talked into it.
LARGEST_OFFSET = 3.0
SMALLEST_OFFSET = -10.0


def calibrated_offsets(log_probabilities: Tensor, offsets: Tensor, wanted: Tensor) -> Tensor:
    """Return what to add to each class's logit so that each structure is predicted in the wanted share of the pixels.

    Args:
        log_probabilities: (P, C) of sampled pixels, with `offsets` already added.
        offsets: (C,) in force; that of the background is 0.
        wanted: (C,) share of the pixels of each class.

    Returns:
        (C,) from -10 to 3; 0 for the background and for structures that are not wanted anywhere.
    """
    pixels = len(log_probabilities)
    adjusted = offsets.clone()
    for _ in range(STEPS):
        predicted = (log_probabilities + (adjusted - offsets)).argmax(dim=1)
        shares = torch.bincount(predicted, minlength=len(offsets)) / pixels
        step = 0.5 * (wanted.clamp_min(1 / pixels) / shares.clamp_min(1 / pixels)).log().clamp(-1, 1)
        adjusted = torch.where(wanted > 0, adjusted + step, 0.0).clamp(SMALLEST_OFFSET, LARGEST_OFFSET)
        adjusted[0] = 0.0
    return adjusted


def sampled_pixels(values: Tensor, total_pixels: int) -> Tensor:
    """Return (P, C) evenly spaced pixels of (B, C, H, W), so that about a million remain of a set's pixels."""
    stride = max(1, total_pixels // SAMPLED_PIXELS)
    return values.permute(0, 2, 3, 1).reshape(-1, values.shape[1])[::stride]


def label_shares(labels: Tensor, class_count: int) -> Tensor:
    """Return the share of the pixels (C,) of each class in labels (N, H, W)."""
    return torch.bincount(labels.flatten(), minlength=class_count) / labels.numel()
