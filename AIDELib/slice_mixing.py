"""A box of one slice in the place of the same box of another: CutMix (Yun et al., ICCV 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from AIDELib.transfer import on_device

# Boxes of less than a tenth change little, of more than four tenths leave little.
SMALLEST_SHARE, LARGEST_SHARE = 0.1, 0.4


@dataclass(frozen=True)
class SliceMixing:
    """Which part of each sample of a batch comes from which other sample.

    Labelled and unlabelled slices are mixed with each other: what is known of the one stands beside what is only guessed
    of the other (Bai et al., Bidirectional Copy-Paste, CVPR 2023).

    Attributes:
        partners: (B,) index of the sample that the box is taken from.
        boxes: (B, H, W) bool, True inside the box; False throughout in samples that stay as they are.
    """

    partners: Tensor
    boxes: Tensor

    @classmethod
    def draw(cls, count: int, height: int, width: int, probability: float, generator: torch.Generator) -> SliceMixing:
        """Return random boxes of 10 to 40 % of the slice, with sides in a ratio of 0.6 to 1.6.

        Args:
            count: number of samples B.
            probability: that a sample gets a box at all.
            generator: a CPU generator, so that every device draws the same boxes.
        """
        partners = torch.randperm(count, generator=generator)
        draws = torch.rand(count, 5, generator=generator)
        areas = (SMALLEST_SHARE + (LARGEST_SHARE - SMALLEST_SHARE) * draws[:, 0]) * height * width
        ratios = torch.exp(draws[:, 1] - 0.5)
        heights = (areas * ratios).sqrt().clamp(max=height).long()
        widths = (areas / ratios).sqrt().clamp(max=width).long()
        tops = (draws[:, 2] * (height - heights + 1)).long()
        lefts = (draws[:, 3] * (width - widths + 1)).long()
        rows = _between(torch.arange(height), tops, tops + heights)
        columns = _between(torch.arange(width), lefts, lefts + widths)
        mixed = draws[:, 4] < probability
        return cls(partners, rows.unsqueeze(2) & columns.unsqueeze(1) & mixed.view(-1, 1, 1))

    def apply(self, values: Tensor) -> Tensor:
        """Return values (B, H, W) or (B, M, H, W) with the boxes filled from the partners."""
        boxes = on_device(self.boxes, values.device)
        partners = values[on_device(self.partners, values.device)]
        return torch.where(boxes if values.dim() == 3 else boxes.unsqueeze(1), partners, values)


def _between(positions: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    return (positions >= starts.unsqueeze(1)) & (positions < ends.unsqueeze(1))
