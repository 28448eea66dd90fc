"""Bilinear enlargement of features to twice their size, with the same gradient every time on every device.

On a GPU torch adds up the gradient of its bilinear enlargement in the order in which threads finish, which differs from run
to run; where the same result every time is asked for, it takes an indirect way that is many times as slow. Enlarged twice,
each pixel receives its gradient from four neighbours a direction with fixed weights, which can be written out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

NEAR, FAR = 0.75, 0.25


class Doubling(nn.Module):
    """Features (B, F, H, W) to (B, F, 2 H, 2 W), interpolated bilinearly (pixels are areas: `align_corners=False`)."""

    def forward(self, features: Tensor) -> Tensor:
        if features.is_cuda:
            return _ReproducibleDoubling.apply(features)
        return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


class _ReproducibleDoubling(torch.autograd.Function):
    """The same enlargement as torch's own, which is reproducible as it is, and its gradient written out."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        height, width = features.shape[-2:]
        # In half precision, too: autocast would take the features, the largest of all, to float32 and back.
        with torch.autocast("cuda", enabled=False):
            return torch.ops.aten.upsample_bilinear2d(features, [2 * height, 2 * width], False, 2.0, 2.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gathered(gathered(gradient, 2), 3)


def gathered(gradient: Tensor, dimension: int) -> Tensor:
    """Return the gradient of features enlarged to twice their size along one dimension.

    Args:
        gradient: of the enlarged features, of even length along the dimension.
    """
    even = gradient.unflatten(dimension, (-1, 2)).select(dimension + 1, 0)
    odd = gradient.unflatten(dimension, (-1, 2)).select(dimension + 1, 1)
    length = even.shape[dimension]
    # Beyond the border the enlargement repeats the outermost pixel.
    before = torch.cat([even.narrow(dimension, 0, 1), odd.narrow(dimension, 0, length - 1)], dimension)
    after = torch.cat([even.narrow(dimension, 1, length - 1), odd.narrow(dimension, length - 1, 1)], dimension)
    return torch.add(NEAR * (even + odd), before + after, alpha=FAR)
