"""Rotation and flip of slices as one batched resampling, and their exact inverse (paper, Methods)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.profiler import record_function
from torch.nn import functional

from AIDELib import timed_parts
from AIDELib.transfer import on_device


@dataclass(frozen=True)
class SpatialAugmentation:
    """One linear map of the image plane about the slice's centre for each sample of a batch.

    Attributes:
        matrices: (B, 2, 2), from pixel offsets (x, y) about the centre in the augmented frame to those in the
            original frame.
    """

    matrices: Tensor

    @classmethod
    def draw(cls, count: int, rotation: float, flip: bool, generator: torch.Generator) -> SpatialAugmentation:
        """Return random maps: rotation within +-`rotation` degrees, flip of x or none.

        Args:
            count: number of samples B.
            generator: a CPU generator, so that every device draws the same maps.
        """
        uniform = torch.rand(count, 2, generator=generator)
        angles = (2 * uniform[:, 0] - 1) * math.radians(rotation)
        signs = torch.where(uniform[:, 1] < 0.5, -1.0, 1.0) if flip else torch.ones(count)
        cosines, sines = angles.cos(), angles.sin()
        rows = [torch.stack([cosines * signs, -sines], dim=1), torch.stack([sines * signs, cosines], dim=1)]
        return cls(torch.stack(rows, dim=1))

    def apply(self, images: Tensor) -> Tensor:
        """Resample images into the augmented frame, bilinearly, with 0 outside.

        Args:
            images: (B, M, H, W) floating point.

        Returns:
            (B, M, H, W).
        """
        return self._resampled(images, self.matrices)

    def apply_inverse(self, images: Tensor) -> Tensor:
        """Resample images (B, M, H, W) from the augmented frame back into the original one, bilinearly, 0 outside."""
        return self._resampled(images, torch.linalg.inv(self.matrices))

    @staticmethod
    def _resampled(images: Tensor, matrices: Tensor) -> Tensor:
        return resample(images, sampling_grid(matrices, images.shape[-2:], images.device), "bilinear")


def sampling_grid(matrices: Tensor, size: Sequence[int], device: torch.device) -> Tensor:
    """Return where the pixels of linearly mapped slices come from.

    Args:
        matrices: (B, 2, 2), from pixel offsets (x, y) about the centre of the mapped slice to those in the original.
        size: (H, W).

    Returns:
        (B, H, W, 2) float32 on the device, positions (x, y) in the original slice, -1 to 1 between its outer borders.
    """
    height, width = size
    # Positions are measured in halves of the image's own width and height: without this a rotation of a slice that is
    # not square would shear it.
    extent = torch.tensor([width, height], dtype=matrices.dtype)
    normalized = matrices * extent.view(1, 1, 2) / extent.view(1, 2, 1)
    theta = on_device(torch.cat([normalized, torch.zeros(len(matrices), 2, 1)], dim=2), device)
    return functional.affine_grid(theta, [len(matrices), 1, height, width], align_corners=False)


def resample(images: Tensor, grid: Tensor, mode: str) -> Tensor:
    """Return images (B, M, H, W) at the positions of a grid (see `sampling_grid`), 0 outside.

    Args:
        mode: 'bilinear' or 'nearest'.
    """
    with record_function(timed_parts.AUGMENTATION):
        return functional.grid_sample(
            images, grid.to(images.dtype), mode=mode, padding_mode="zeros", align_corners=False
        )
