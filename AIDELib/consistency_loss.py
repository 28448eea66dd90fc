"""The consistency loss of suspected samples (paper, eq. 2)."""

from __future__ import annotations

from torch import Tensor


def confidence(probabilities: Tensor) -> Tensor:
    """Return how sure a prediction is in each pixel.

    Args:
        probabilities: (B, C, H, W), summing to 1 over C.

    Returns:
        (B, H, W) between 0 (all classes alike) and 1 (one class certain): (C * sum of squares - 1) / (C - 1), which for
        two classes equals the paper's 1 - 4 * q0 * q1.
    """
    class_count = probabilities.shape[1]
    return (class_count * probabilities.square().sum(dim=1) - 1) / (class_count - 1)


def consistency_loss(probabilities: Tensor, pseudo_labels: Tensor, weights: Tensor) -> Tensor:
    """Return each sample's mean over the pixels of weight * |p - q|^2.

    Args:
        probabilities: p, (B, C, H, W), the prediction that learns.
        pseudo_labels: q, (B, C, H, W), constant.
        weights: (B, H, W), the confidence of q, 0 where q is unknown.

    Returns:
        (B,) float32.
    """
    squared_distance = (probabilities.float() - pseudo_labels.float()).square().sum(dim=1)
    return (weights * squared_distance).mean(dim=(1, 2))
