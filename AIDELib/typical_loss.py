"""How large a sample's loss is among samples with as much foreground."""

from __future__ import annotations

import torch
from torch import Tensor

# One group of samples for each power of two of labelled pixels, up to a slice of 4096 x 4096; group 0 has none.
GROUPS = 26


class TypicalLoss:
    """Mean and spread of the losses seen so far, by the number of labelled pixels.

    A slice without foreground costs almost a whole Dice loss as soon as a few pixels of it are taken for foreground, and
    a small structure costs more than a large one. Ranked by the plain loss, these are always the suspects, whatever
    their labels are worth, and what they teach is lost; ranked within their like, they are suspects as often as any.
    """

    def __init__(self) -> None:
        self._moments = torch.zeros(3, GROUPS, dtype=torch.float64)

    def relative(self, losses: Tensor, labels: Tensor) -> Tensor:
        """Take up the losses of a batch and return how many standard deviations above the typical one each lies.

        Args:
            losses: (B,).
            labels: (B, H, W), 0 background.

        Returns:
            (B,) float64; 0 for the first of its kind.
        """
        losses = losses.detach().double()
        foreground = (labels > 0).sum(dim=(1, 2))
        groups = torch.where(foreground > 0, 1 + foreground.clamp_min(1).double().log2().floor(), 0).long()
        # A product instead of index_add, whose order of summation differs between runs on a GPU.
        members = (groups.unsqueeze(1) == torch.arange(GROUPS, device=groups.device)).double()
        powers = torch.stack([torch.ones_like(losses), losses, losses.square()])
        self._moments = self._moments.to(losses.device) + powers @ members
        count, total, squares = self._moments[:, groups]
        mean = total / count
        deviation = (squares / count - mean.square()).clamp_min(0).sqrt()
        return (losses - mean) / deviation.clamp_min(1e-6)
