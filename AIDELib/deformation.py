"""Random rotation, scaling, stretching, flip and smooth warping of slices: the shapes that patients differ in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.profiler import record_function
from torch.nn import functional

from AIDELib import timed_parts
from AIDELib.augmentation import resample, sampling_grid
from AIDELib.deformation_range import DeformationRange
from AIDELib.transfer import on_device

# A coarser mesh moves little more than a linear map; a finer one folds at displacements that still look like anatomy.
CONTROL_POINTS = 4


@dataclass(frozen=True)
class Deformation:
    """Where each pixel of the deformed slices comes from; one deformation for each sample of a batch.

    Attributes:
        grid: (B, H, W, 2), positions (x, y) in the original slice, -1 to 1 between its outer borders.
    """

    grid: Tensor

    @classmethod
    def draw(
        cls, size: Sequence[int], extent: DeformationRange, generator: torch.Generator, device: torch.device
    ) -> Deformation:
        """Return random deformations.

        Args:
            size: (B, H, W).
            extent: how far.
            generator: a CPU generator, so that every device draws the same deformations.
        """
        count, height, width = size
        with record_function(timed_parts.AUGMENTATION):
            grid = sampling_grid(_draw_matrices(count, extent, generator), (height, width), device)
            if extent.warp:
                control = torch.randn(count, 2, CONTROL_POINTS, CONTROL_POINTS, generator=generator)
                control = on_device(control, device)
                field = functional.interpolate(control, (height, width), mode="bicubic", align_corners=True)
                edges = on_device(torch.tensor([width, height], dtype=torch.float32), device)
                grid = grid + field.permute(0, 2, 3, 1) * (2 * extent.warp * min(height, width) / edges)
        return cls(grid)

    def apply(self, images: Tensor) -> Tensor:
        """Return images (B, M, H, W), floating point, deformed: interpolated bilinearly, 0 outside."""
        return resample(images, self.grid, "bilinear")

    def apply_to_labels(self, labels: Tensor) -> Tensor:
        """Return label maps or weights (B, H, W) deformed: each pixel with the nearest one's value, 0 outside."""
        return resample(labels.unsqueeze(1).float(), self.grid, "nearest").squeeze(1).to(labels.dtype)


def _draw_matrices(count: int, extent: DeformationRange, generator: torch.Generator) -> Tensor:
    """Return the linear part (B, 2, 2), from pixel offsets about the centre of the deformed slice to the original's."""
    uniform = 2 * torch.rand(count, 5, generator=generator) - 1
    angles = uniform[:, 0] * math.radians(extent.rotation)
    sizes = 1 / (1 + uniform[:, 1] * extent.scaling)
    factors = sizes.unsqueeze(1) * torch.exp(uniform[:, 2:4] * extent.stretch)
    if extent.flip:
        factors[:, 0] *= torch.where(uniform[:, 4] < 0, -1.0, 1.0)
    cosines, sines = angles.cos(), angles.sin()
    rotations = torch.stack([torch.stack([cosines, -sines], dim=1), torch.stack([sines, cosines], dim=1)], dim=1)
    return rotations * factors.unsqueeze(1)
