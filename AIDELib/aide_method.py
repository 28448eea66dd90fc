"""AIDE: two networks that filter each other's samples and correct their labels (Wang et al. 2021, Methods)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from AIDELib.augmentation import SpatialAugmentation
from AIDELib.case import LabelQuality
from AIDELib.consistency_loss import consistency_loss
from AIDELib.label_correction import cases_to_correct, correction_is_due, with_consensus
from AIDELib.label_filtering import consistency_ramp, suspected
from AIDELib.label_set import LabelSet
from AIDELib.learner import Learner
from AIDELib.method_name import MethodName
from AIDELib.pseudo_label import make_pseudo_labels
from AIDELib.settings import Ranking, Settings
from AIDELib.slice_set import SliceSet
from AIDELib.training_method import Batch, Predictions, TrainingMethod
from AIDELib.typical_loss import TypicalLoss


class AIDE(TrainingMethod):
    """Cross-model self-correction: local label filtering in the batch, global label correction after the epoch."""

    name = MethodName.AIDE.value
    network_count = 2

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.begin_epoch()

    def begin_epoch(self) -> None:
        self._typical_losses = (TypicalLoss(), TypicalLoss())

    def losses(
        self, learners: Sequence[Learner], batch: Batch, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        # Each network learns from the other's label set: its own errors, once written into its own labels, then reach it
        # only through a network that did not make them (the paper's "cross-model"; its scripts do the same).
        logits = [learner.forward(batch.images) for learner in learners]
        sample_losses = [
            self.sample_losses(own_logits, labels)
            for own_logits, labels in zip(logits, reversed(batch.labels), strict=True)
        ]
        questionable = ~batch.trusted if self.settings.trust_hqa else torch.ones_like(batch.trusted)
        rankings = [
            self._ranking(typical, losses, labels)
            for typical, losses, labels in zip(self._typical_losses, sample_losses, reversed(batch.labels), strict=True)
        ]
        suspects = [suspected(ranking, questionable, self.settings.clean_share) for ranking in reversed(rankings)]
        return tuple(
            self._network_loss(
                logits[own], sample_losses[own], suspects[own], learners[1 - own], batch, epoch, generator
            )
            for own in range(2)
        )

    def _ranking(self, typical: TypicalLoss, losses: Tensor, labels: Tensor) -> Tensor:
        if self.settings.ranking is Ranking.LOSS:
            return losses
        return typical.relative(losses, labels)

    def _network_loss(
        self,
        logits: Tensor,
        sample_losses: Tensor,
        suspects: Tensor,
        counterpart: Learner,
        batch: Batch,
        epoch: int,
        generator: torch.Generator,
    ) -> Tensor:
        ramp = consistency_ramp(epoch - 1, self.settings.warm_up_epochs)
        if ramp == 0 or not len(suspects):
            return sample_losses.mean()
        pseudo_labels, weights = self._pseudo_labels(counterpart, batch.plain_images[suspects], generator)
        consistency = consistency_loss(logits[suspects].softmax(dim=1), pseudo_labels, weights)
        doubt = torch.zeros_like(sample_losses).index_fill(0, suspects, ramp)
        supervised = ((1 - doubt) * sample_losses).sum()
        return (supervised + self.settings.consistency_weight * ramp * consistency.sum()) / len(sample_losses)

    def _pseudo_labels(self, counterpart: Learner, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count = len(images) * self.settings.pseudo_label_augmentations
        augmentation = SpatialAugmentation.draw(
            count, self.settings.pseudo_label_rotation, 0.0, self.settings.pseudo_label_flip, generator
        )
        return make_pseudo_labels(counterpart.predict, images, augmentation, self.settings.pseudo_label_temperature)

    def correct_labels(
        self, slices: SliceSet, label_sets: Sequence[LabelSet], predictions: Predictions, epoch: int
    ) -> None:
        settings = self.settings
        if not correction_is_due(
            epoch, settings.correction_first_epoch, settings.warm_up_epochs, settings.correction_interval
        ):
            return
        protected = [case.quality is LabelQuality.HQA for case in slices.cases]
        for label_set, labels, agreements in zip(label_sets, predictions.labels, predictions.agreements, strict=True):
            chosen = cases_to_correct(agreements, protected, settings.correction_share)
            if settings.correction_needs_consensus:
                chosen = with_consensus(chosen, predictions.mutual_agreements(), agreements)
            for case_index in chosen:
                label_set.rewrite(slices, case_index, labels[case_index], epoch)
