"""Another scanner: the same anatomy under another grey-value curve, coil, resolution and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class DomainShift:
    """What sets the images of one scanner apart. Each case lies near these values, not on them.

    Attributes:
        gamma: exponent of the curve between the darkest and the brightest voxel.
        bias: largest relative deviation of the smooth bias field, 0 to 1.
        blur: standard deviation of the in-plane Gaussian, in pixels.
        noise: standard deviation of the noise as a share of the range of grey values.
    """

    gamma: float = 1.0
    bias: float = 0.0
    blur: float = 0.0
    noise: float = 0.0

    def apply(self, image: NDArray[np.floating], generator: np.random.Generator) -> NDArray[np.float32]:
        """Return a volume (Z, H, W) or image (H, W) as this scanner would show it, in the range of values that it had.

        The range is that between the 0.5th and the 99.5th percentile; what lies outside is clipped.
        """
        low, high = np.percentile(image, [0.5, 99.5])
        if high <= low:
            return image.astype(np.float32)
        unit = np.clip((image - low) / (high - low), 0, 1)
        unit = unit ** (self.gamma ** generator.uniform(0.8, 1.2))
        unit = ndimage.gaussian_filter(unit, self.blur, axes=(-2, -1))
        unit = unit * (1 + self.bias * _smooth_field(unit.shape, generator))
        unit = unit + self.noise * generator.standard_normal(unit.shape)
        return (low + (high - low) * unit).astype(np.float32)


def _smooth_field(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a quadratic polynomial of the position with random coefficients, -1 to 1."""
    axes = np.meshgrid(*[np.linspace(-1, 1, length) if length > 1 else np.zeros(1) for length in shape], indexing="ij")
    terms = [*axes, *(first * second for i, first in enumerate(axes) for second in axes[i:])]
    field = sum((generator.uniform(-1, 1) * term for term in terms), start=np.zeros(shape))
    return field / max(float(np.abs(field).max()), 1e-9)
