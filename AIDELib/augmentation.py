"""Rotation, scaling and flip of slices as one batched resampling, and their exact inverse."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.profiler import record_function
from torch.nn import functional

from AIDELib import timed_parts


@dataclass(frozen=True)
class SpatialAugmentation:
    """One linear map of the image plane about the slice's centre for each sample of a batch.

    Attributes:
        matrices: (B, 2, 2), from pixel offsets (x, y) about the centre in the augmented frame to those in the
            original frame.
    """

    matrices: Tensor

    @classmethod
    def draw(
        cls, count: int, rotation: float, scaling: float, flip: bool, generator: torch.Generator
    ) -> SpatialAugmentation:
        """Return random maps: rotation within +-`rotation` degrees, size times 1 +- `scaling`, flip of x or none.

        Args:
            count: number of samples B.
            generator: a CPU generator, so that every device draws the same maps.
        """
        uniform = torch.rand(count, 3, generator=generator)
        angles = (2 * uniform[:, 0] - 1) * math.radians(rotation)
        factors = 1 / (1 + (2 * uniform[:, 1] - 1) * scaling)
        signs = torch.where(uniform[:, 2] < 0.5, -1.0, 1.0) if flip else torch.ones(count)
        cosines, sines = angles.cos() * factors, angles.sin() * factors
        rows = [torch.stack([cosines * signs, -sines], dim=1), torch.stack([sines * signs, cosines], dim=1)]
        return cls(torch.stack(rows, dim=1))

    def apply(self, images: Tensor) -> Tensor:
        """Resample images into the augmented frame, bilinearly, with 0 outside.

        Args:
            images: (B, M, H, W) floating point.

        Returns:
            (B, M, H, W).
        """
        return self._resample(images, self.matrices, "bilinear")

    def apply_to_labels(self, labels: Tensor) -> Tensor:
        """Resample label maps (B, H, W) into the augmented frame with the nearest pixel's label, 0 outside."""
        return self._resample(labels.unsqueeze(1).float(), self.matrices, "nearest").squeeze(1).to(labels.dtype)

    def apply_inverse(self, images: Tensor) -> Tensor:
        """Resample images (B, M, H, W) from the augmented frame back into the original one, 0 outside."""
        return self._resample(images, torch.linalg.inv(self.matrices), "bilinear")

    @staticmethod
    def _resample(images: Tensor, matrices: Tensor, mode: str) -> Tensor:
        with record_function(timed_parts.AUGMENTATION):
            return _sample(images, matrices, mode)


def _sample(images: Tensor, matrices: Tensor, mode: str) -> Tensor:
    height, width = images.shape[-2:]
    # grid_sample measures x and y in halves of the image's own width and height: without this a rotation of a slice
    # that is not square would shear it.
    extent = torch.tensor([width, height], dtype=matrices.dtype)
    normalized = matrices * extent.view(1, 1, 2) / extent.view(1, 2, 1)
    theta = torch.cat([normalized, torch.zeros(len(matrices), 2, 1)], dim=2).to(images.device, images.dtype)
    grid = functional.affine_grid(theta, [len(matrices), 1, height, width], align_corners=False)
    return functional.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)
