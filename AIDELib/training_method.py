"""What every training method has in common: AIDE and the baselines differ in the parts named here, and in no other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.case import Case, LabelQuality
from AIDELib.label_correction import agreement
from AIDELib.label_set import LabelSet
from AIDELib.learner import Learner
from AIDELib.segmentation_loss import batch_segmentation_loss, segmentation_loss
from AIDELib.settings import DiceOver, Settings
from AIDELib.slice_set import SliceSet


@dataclass(frozen=True)
class Batch:
    """Samples of one iteration.

    Attributes:
        images: (B, M, H, W), what the networks learn from.
        plain_images: (B, M, H, W), the same without changes of intensity: what pseudo-labels are made from.
        labels: (B, H, W) uint8 from each label set.
        trusted: (B,) bool on the CPU, True for HQA cases.
        generated: (B,) bool on the CPU, True for cases whose labels a model made.
        proposed: (B, H, W) uint8, what the networks predicted together after the last epoch; None where they see the same
            slices and need not wait for it.
    """

    images: Tensor
    plain_images: Tensor
    labels: tuple[Tensor, ...]
    trusted: Tensor
    generated: Tensor
    proposed: Tensor | None = None


@dataclass(frozen=True)
class Predictions:
    """What each network predicts for each training case after an epoch.

    Attributes:
        labels: for each network, the label maps (Z, H, W) of each case.
        agreements: for each network, the agreement (0 to 1) of each case's prediction with that network's label set.
        structure_count: number of structures.
        joint: the label maps that both networks predict together, where each sees a plane of its own.
    """

    labels: tuple[list[NDArray[np.uint8]], ...]
    agreements: tuple[list[float], ...]
    structure_count: int
    joint: list[NDArray[np.uint8]] | None = None

    @property
    def judgements(self) -> Sequence[list[NDArray[np.uint8]]]:
        """What labels are judged by: what the networks predict together, or where they do not, what each predicts."""
        return self.labels if self.joint is None else [self.joint]

    def mutual_agreements(self) -> list[float]:
        """Return for each case the agreement of the first two networks' predictions with each other."""
        first, second = self.labels[:2]
        return [agreement(one, other, self.structure_count) for one, other in zip(first, second, strict=True)]


class TrainingMethod(ABC):
    """How networks learn from labels of different quality.

    Attributes:
        name: as on the command line.
        doubts_labels: whether predictions take the place of labels that people gave. Networks that know nothing yet would
            spoil more than they mend.
        trusting_epochs: epochs at the beginning in which a method that doubts or drops labels learns them as they are.
        plane_per_network: whether its networks can see slices of different planes.
        network_count: networks that train in parallel; each has a label set of its own.
        qualities: label qualities of the cases that the method learns from; UNLABELLED cases with generated labels.
    """

    name: str
    network_count: int
    doubts_labels: bool = False
    plane_per_network: bool = False
    qualities: frozenset[LabelQuality] = frozenset(LabelQuality)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.trusting_epochs = 0

    @property
    def learns_unlabelled(self) -> bool:
        """Whether the method trains on unlabelled cases, with generated labels."""
        return LabelQuality.UNLABELLED in self.qualities

    def learns_from(self, case: Case) -> bool:
        """Return whether the method trains on a case."""
        return case.quality in self.qualities

    def begin_epoch(self) -> None:  # noqa: B027 - most methods remember nothing
        """Forget what was learned about the samples in the epoch before, so that a resumed run starts alike."""

    @abstractmethod
    def losses(
        self, learners: Sequence[Learner], batch: Batch, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return the scalar loss of each network for one batch.

        Args:
            epoch: counted from 1.
            generator: CPU generator of the method's random choices.
        """

    def losses_in_planes(
        self, learners: Sequence[Learner], batches: Sequence[Batch], epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return the scalar loss of each network for a batch of its own plane.

        Args:
            batches: one per network, each with `proposed`.
            epoch: counted from 1.
            generator: CPU generator of the method's random choices.
        """
        raise NotImplementedError(f"{self.name} compares its networks on the same slices")

    def correct_labels(  # noqa: B027 - methods with fixed labels inherit that nothing is corrected
        self, slices: SliceSet, label_sets: Sequence[LabelSet], predictions: Predictions, epoch: int
    ) -> None:
        """Rewrite labels after an epoch (counted from 1)."""

    def sample_losses(self, logits: Tensor, labels: Tensor, pixel_weights: Tensor | None = None) -> Tensor:
        """Return each sample's segmentation loss (B,)."""
        settings = self.settings
        return segmentation_loss(logits, labels, settings.cross_entropy_weight, settings.dice_smoothing, pixel_weights)

    def batch_loss(self, logits: Tensor, labels: Tensor, pixel_weights: Tensor | None = None) -> Tensor:
        """Return the scalar segmentation loss of the samples (B >= 1) together, the Dice loss over what is set."""
        settings = self.settings
        if settings.dice_over is DiceOver.SLICE:
            return self.sample_losses(logits, labels, pixel_weights).mean()
        return batch_segmentation_loss(
            logits, labels, settings.cross_entropy_weight, settings.dice_smoothing, pixel_weights
        )
