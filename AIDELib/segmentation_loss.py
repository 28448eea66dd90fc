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
    overlaps, totals, cross_entropy = _terms(logits, labels, pixel_weights)
    return _dice_loss(overlaps, totals, dice_smoothing) + cross_entropy_weight * cross_entropy


def batch_segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    cross_entropy_weight: float,
    dice_smoothing: float,
    pixel_weights: Tensor | None = None,
) -> Tensor:
    """Return the soft Dice loss of all samples as if they were one image, plus the weighted cross-entropy.

    In a slice with a few pixels of a structure, or without its label, each pixel weighs as much as hundreds in another;
    over the batch all pixels of a structure weigh the same (the "batch Dice" of nnU-Net, Isensee et al., Nature Methods
    2021).

    Args: as of `segmentation_loss`.

    Returns:
        A float32 scalar; of one sample, the same as `segmentation_loss`.
    """
    overlaps, totals, cross_entropy = _terms(logits, labels, pixel_weights)
    dice_loss = _dice_loss(overlaps.sum(dim=0), totals.sum(dim=0), dice_smoothing)
    return dice_loss + cross_entropy_weight * cross_entropy.mean()


def _dice_loss(overlaps: Tensor, totals: Tensor, smoothing: float) -> Tensor:
    """Return the mean over the structures, the last dimension, of the soft Dice loss."""
    return (1 - (2 * overlaps + smoothing) / (totals + smoothing)).mean(dim=-1)


def _terms(logits: Tensor, labels: Tensor, pixel_weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return what both losses are made of.

    Returns:
        overlap of probability and label (B, C - 1), sum of both (B, C - 1), mean cross-entropy of the pixels (B,).
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
    overlaps = (foreground * target).sum(dim=(2, 3))
    totals = foreground.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
    return overlaps, totals, pixel_cross_entropy.mean(dim=(1, 2))
