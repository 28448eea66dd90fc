"""How far slices are deformed at random."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeformationRange:
    """How far slices are deformed.

    Attributes:
        rotation: largest angle in degrees.
        scaling: largest relative change of size, 0 to below 1.
        stretch: largest change of each axis for itself, as a natural logarithm: 0.2 is a factor of 0.82 to 1.22.
        warp: standard deviation of the displacement at 4 x 4 control points, as a share of the shorter edge.
        flip: whether x is flipped at random.
    """

    rotation: float
    scaling: float
    stretch: float
    warp: float
    flip: bool

    @property
    def is_empty(self) -> bool:
        """Whether it leaves every slice as it is."""
        return not (self.rotation or self.scaling or self.stretch or self.warp or self.flip)
