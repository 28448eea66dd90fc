"""Where the batches of a network come from: the training slices of one plane, and how far their labels can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from AIDELib.batch_sampling import epoch_batches
from AIDELib.case import LabelQuality
from AIDELib.deformation import Deformation
from AIDELib.intensity_augmentation import perturb_intensity
from AIDELib.settings import Settings
from AIDELib.slice_set import SliceSet
from AIDELib.training_method import Batch


class BatchSource:
    """The training slices of one plane.

    Attributes:
        slices: the slices.
    """

    def __init__(self, slices: SliceSet, settings: Settings) -> None:
        self.slices = slices
        self._settings = settings
        self._trusted = frozenset(slices.slices_of(LabelQuality.HQA))
        self._generated = frozenset(slices.slices_of(LabelQuality.UNLABELLED))
        self._others = sorted(set(range(len(slices.images))) - self._trusted)

    def epoch(self, iterations: int, generator: torch.Generator) -> Iterator[list[int]]:
        """Yield the slices of each batch of an epoch.

        Args:
            iterations: number of batches; 0 means that every slice comes once, but for what does not fill a batch.
        """
        settings = self._settings
        return epoch_batches(
            sorted(self._trusted), self._others, settings.batch_size, settings.trusted_power, iterations, generator
        )

    def batch(
        self, indices: list[int], labels: Sequence[Tensor], proposed: Tensor | None, generator: torch.Generator
    ) -> Batch:
        """Return the augmented samples of these slices.

        Args:
            labels: (N, H, W) of each label set.
            proposed: (N, H, W), what the networks predicted together after the last epoch, where that is asked for.
        """
        settings = self._settings
        images = self.slices.take(self.slices.images, indices)
        taken = [self.slices.take(own, indices) for own in (*labels, *([] if proposed is None else [proposed]))]
        if not settings.input_deformation.is_empty:
            size = (len(indices), *images.shape[2:])
            deformation = Deformation.draw(size, settings.input_deformation, generator, images.device)
            images = deformation.apply(images)
            taken = [deformation.apply_to_labels(own) for own in taken]
        images = images.contiguous(memory_format=torch.channels_last)
        return Batch(
            images=perturb_intensity(images, settings.input_intensity, generator),
            plain_images=images,
            labels=tuple(taken[: len(labels)]),
            trusted=torch.tensor([index in self._trusted for index in indices]),
            generated=torch.tensor([index in self._generated for index in indices]),
            proposed=None if proposed is None else taken[-1],
        )
