"""Pseudo-labels: the counterpart's mean prediction over augmented inputs (paper, "Local label filtering")."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from AIDELib.augmentation import SpatialAugmentation
from AIDELib.consistency_loss import confidence


def sharpen(probabilities: Tensor, temperature: float) -> Tensor:
    """Return q^(1/T), normalised to sum to 1 over the classes.

    Args:
        probabilities: (B, C, H, W).
        temperature: T in (0, 1]; 1 changes nothing, towards 0 the likeliest class takes all.
    """
    if temperature == 1:
        return probabilities
    tiny = torch.finfo(probabilities.dtype).tiny
    # The likeliest class becomes 1, so that its power cannot vanish.
    powered = (probabilities / probabilities.amax(dim=1, keepdim=True).clamp_min(tiny)).pow(1 / temperature)
    return powered / powered.sum(dim=1, keepdim=True).clamp_min(tiny)


def make_pseudo_labels(
    predict: Callable[[Tensor], Tensor],
    images: Tensor,
    augmentation: SpatialAugmentation,
    temperature: float,
) -> tuple[Tensor, Tensor]:
    """Return the pseudo-labels of images and the weight of each pixel.

    Args:
        predict: images (B, M, H, W) -> softmax probabilities (B, C, H, W), in evaluation mode and without gradient:
            batch statistics of rotated copies would otherwise enter the running ones.
        images: (B, M, H, W).
        augmentation: B * K maps, those of one image side by side.
        temperature: of the sharpening.

    Returns:
        pseudo-labels (B, C, H, W), and weights (B, H, W): the confidence, 0 in pixels that every augmentation moved
        out of the frame.
    """
    repeats = len(augmentation.matrices) // len(images)
    augmented = augmentation.apply(images.repeat_interleave(repeats, dim=0))
    probabilities = predict(augmented).float()
    coverage = torch.ones_like(probabilities[:, :1])
    mapped_back = augmentation.apply_inverse(torch.cat([probabilities, coverage], dim=1))
    totals = mapped_back.unflatten(0, (len(images), repeats)).sum(dim=1)
    covered = totals[:, -1:]
    mean = totals[:, :-1] / covered.clamp_min(1e-6)
    sharpened = sharpen(mean, temperature)
    # A pixel that was half moved out of every frame is a mixture with nothing; it teaches nothing.
    known = covered.squeeze(1) > 0.5
    return sharpened, torch.where(known, confidence(sharpened), 0.0)


def relabelled(
    labels: Tensor, suspects: Tensor, pseudo_labels: Tensor, weights: Tensor, threshold: float, weight: float
) -> tuple[Tensor, Tensor]:
    """Return the labels of a batch with those of the suspects replaced by their confident pseudo-labels.

    Args:
        labels: (B, H, W) uint8.
        suspects: (S,) indices of samples.
        pseudo_labels: (S, C, H, W) probabilities.
        weights: (S, H, W), 0 in pixels that the pseudo-labels say nothing about.
        threshold: probability from which a pixel is confident; less confident ones get the weight 0.
        weight: of a confident pixel, 0 to 1.

    Returns:
        labels (B, H, W) uint8, and the weight of each pixel (B, H, W), 1 in the samples that are not suspected.
    """
    probabilities, likeliest = pseudo_labels.max(dim=1)
    confident = (probabilities >= threshold) & (weights > 0)
    pixel_weights = torch.ones(labels.shape, device=labels.device)
    return (
        labels.index_copy(0, suspects, likeliest.to(labels.dtype)),
        pixel_weights.index_copy(0, suspects, weight * confident.to(pixel_weights.dtype)),
    )
