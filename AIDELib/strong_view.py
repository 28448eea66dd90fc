"""Weak-to-strong consistency: what is predicted on a plain slice is learned on a distorted one.

After FixMatch and UniMatch (Yang et al., CVPR 2023): rotated, scaled, with other contrast, and with boxes of other slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from AIDELib.deformation import Deformation
from AIDELib.intensity_augmentation import perturb_intensity
from AIDELib.settings import Settings
from AIDELib.slice_mixing import SliceMixing
from AIDELib.transfer import on_device


@dataclass(frozen=True)
class StrongView:
    """How the samples of a batch are distorted.

    Attributes:
        distorted: (B,) bool, the samples that are; the others stay as they are.
        deformation: of each sample.
        mixing: boxes from other samples.
        images: (B, M, H, W), the distorted images.
    """

    distorted: Tensor
    deformation: Deformation
    mixing: SliceMixing
    images: Tensor

    @classmethod
    def draw(cls, images: Tensor, distorted: Tensor, settings: Settings, generator: torch.Generator) -> StrongView:
        """Return a random view.

        Args:
            images: (B, M, H, W).
            distorted: (B,) bool on the device of the images.
            generator: CPU generator.
        """
        count, _, height, width = images.shape
        size = (count, height, width)
        deformation = Deformation.draw(size, settings.consistency_deformation, generator, images.device)
        mixing = SliceMixing.draw(count, height, width, settings.consistency_mixing, generator)
        boxes = on_device(mixing.boxes, images.device) & distorted.view(-1, 1, 1)
        mixing = SliceMixing(mixing.partners, boxes)
        changed = perturb_intensity(deformation.apply(images), settings.consistency_intensity, generator)
        changed = torch.where(distorted.view(-1, 1, 1, 1), changed, images)
        view = mixing.apply(changed).contiguous(memory_format=torch.channels_last)
        return cls(distorted, deformation, mixing, view)

    def of_labels(self, labels: Tensor) -> Tensor:
        """Return labels or pixel weights (B, H, W) as they belong to the images; outside of a rotated slice they are 0."""
        moved = torch.where(self.distorted.view(-1, 1, 1), self.deformation.apply_to_labels(labels), labels)
        return self.mixing.apply(moved)
