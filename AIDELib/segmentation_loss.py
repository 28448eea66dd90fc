"""The segmentation loss (paper, eq. 1)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    cross_entropy_weight: float,
    dice_smoothing: float,
    pixel_weights: Tensor | None = None,
) -> Tensor:
    """Return each sample's soft Dice loss plus its weighted cross-entropy.

    Args:
        logits: (B, C, H, W), class 0 is the background.
        labels: (B, H, W), integers 0 to C - 1.
        cross_entropy_weight: alpha of eq. 1.
        dice_smoothing: added to both sides of the Dice fraction, so that an empty structure predicted empty costs 0.
        pixel_weights: (B, H, W) from 0 (the pixel does not count) to 1; None counts all.

    Returns:
        (B,) float32. The Dice loss is the mean over the C - 1 foreground structures, the cross-entropy the mean over
        the pixels.
    """
    labels = labels.long()
    log_probabilities = functional.log_softmax(logits.float(), dim=1)
    pixel_cross_entropy = functional.nll_loss(log_probabilities, labels, reduction="none")
    foreground = log_probabilities[:, 1:].exp()
    classes = torch.arange(1, logits.shape[1], device=labels.device).view(1, -1, 1, 1)
    target = (labels.unsqueeze(1) == classes).to(foreground.dtype)
    if pixel_weights is not None:
        pixel_cross_entropy = pixel_cross_entropy * pixel_weights
        foreground = foreground * pixel_weights.unsqueeze(1)
        target = target * pixel_weights.unsqueeze(1)
    intersection = (foreground * target).sum(dim=(2, 3))
    total = foreground.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
    dice_loss = 1 - (2 * intersection + dice_smoothing) / (total + dice_smoothing)
    return dice_loss.mean(dim=1) + cross_entropy_weight * pixel_cross_entropy.mean(dim=(1, 2))
