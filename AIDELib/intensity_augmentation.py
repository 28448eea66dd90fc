"""Random changes of contrast, brightness, gamma and sharpness: what scanners differ in."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from AIDELib.transfer import on_device


def perturb_intensity(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return images with each sample's channels changed at random.

    Contrast is multiplied by 1 +- 0.5 * strength, brightness shifted by +- 0.5 * strength standard deviations, a gamma
    curve of exponent 2^(+- strength) bends the grey values between the slice's extremes, and every other sample is
    blurred with a 3 x 3 kernel of random weight.

    Args:
        images: (B, M, H, W), z-scored.
        strength: 0 changes nothing.
        generator: CPU generator.
    """
    if strength == 0:
        return images
    count, channels = images.shape[:2]
    draws = on_device(2 * torch.rand(4, count, channels, 1, 1, generator=generator) - 1, images.device).to(images.dtype)
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    extent = (high - low).clamp_min(1e-6)
    bent = low + extent * ((images - low) / extent).clamp_min(0).pow(torch.exp2(draws[0] * strength))
    blurred = functional.avg_pool2d(bent, 3, stride=1, padding=1, count_include_pad=False)
    mixed = bent + (draws[3] * min(strength, 1.0)).clamp_min(0) * (blurred - bent)
    return mixed * (1 + 0.5 * strength * draws[1]) + 0.5 * strength * draws[2]
