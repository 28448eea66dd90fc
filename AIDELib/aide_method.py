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
from AIDELib.method_name import MethodName, network_count
from AIDELib.pseudo_label import make_pseudo_labels, relabelled
from AIDELib.settings import Consistency, Ranking, Settings
from AIDELib.slice_set import SliceSet
from AIDELib.strong_view import StrongView
from AIDELib.training_method import Batch, Predictions, TrainingMethod
from AIDELib.transfer import on_device
from AIDELib.typical_loss import TypicalLoss


class AIDE(TrainingMethod):
    """Cross-model self-correction: local label filtering in the batch, global label correction after the epoch."""

    name = MethodName.AIDE.value
    network_count = network_count(MethodName.AIDE)
    doubts_labels = True
    plane_per_network = True

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
        doubting_epoch = max(1, epoch - self.trusting_epochs)
        ramp = consistency_ramp(doubting_epoch - 1, self.settings.warm_up_epochs)
        if ramp == 0:
            return self._losses_with_labels(learners, batch)
        if self.settings.consistency is Consistency.SEGMENTATION_LOSS:
            return self._losses_on_strong_view(learners, batch, ramp, generator)
        logits = [learner.forward(batch.images) for learner in learners]
        sample_losses = [
            self.sample_losses(own_logits, labels)
            for own_logits, labels in zip(logits, reversed(batch.labels), strict=True)
        ]
        suspects = self._suspects(learners, batch, sample_losses)
        return tuple(
            self._filtered_loss(
                logits[own], sample_losses[own], suspects[own], learners[1 - own], batch, ramp, generator
            )
            for own in range(2)
        )

    def _losses_with_labels(self, learners: Sequence[Learner], batch: Batch) -> tuple[Tensor, ...]:
        return tuple(
            self.batch_loss(learner.forward(batch.images), labels)
            for learner, labels in zip(learners, reversed(batch.labels), strict=True)
        )

    def _losses_on_strong_view(
        self, learners: Sequence[Learner], batch: Batch, ramp: float, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return the losses where suspects learn their counterpart's confident pseudo-labels on distorted slices."""
        settings = self.settings
        suspects = self._suspects(learners, batch, ())
        views = self._strong_views(batch, suspects, generator)
        losses = []
        for own, (learner, view) in enumerate(zip(learners, views, strict=True)):
            labels = batch.labels[1 - own]
            targets, weights = labels, torch.ones(labels.shape, device=labels.device)
            if len(suspects[own]):
                pseudo_labels = self._pseudo_labels(learners[1 - own], batch.plain_images[suspects[own]], generator)
                targets, weights = relabelled(
                    labels,
                    suspects[own],
                    *pseudo_labels,
                    settings.pseudo_label_threshold,
                    settings.consistency_weight,
                )
            logits = learner.forward(view.images)
            loss = (1 - ramp) * self.batch_loss(logits, view.of_labels(labels))
            losses.append(loss + ramp * self.batch_loss(logits, view.of_labels(targets), view.of_labels(weights)))
        return tuple(losses)

    def losses_in_planes(
        self, learners: Sequence[Learner], batches: Sequence[Batch], epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return the loss of each network, for whose slices its counterpart has an opinion after each epoch alone.

        A slice of one plane is a line in each slice of the other, so that the counterpart cannot be asked within the
        iteration. What both predicted together after the last epoch tells the suspects and takes the place of their labels.
        It knows more than the network that learns it, which therefore need not be made to guess from distorted slices.
        """
        ramp = consistency_ramp(max(1, epoch - self.trusting_epochs) - 1, self.settings.warm_up_epochs)
        return tuple(
            self._loss_in_plane(learner, batch, batch.labels[1 - own], own, ramp, generator)
            for own, (learner, batch) in enumerate(zip(learners, batches, strict=True))
        )

    def _loss_in_plane(
        self, learner: Learner, batch: Batch, labels: Tensor, own: int, ramp: float, generator: torch.Generator
    ) -> Tensor:
        if ramp == 0 or batch.proposed is None:
            return self.batch_loss(learner.forward(batch.images), labels)
        suspects = self._suspects_in_plane(batch, labels, batch.proposed, self._typical_losses[own])
        targets = labels.index_copy(0, suspects, batch.proposed[suspects])
        weights = torch.ones(labels.shape, device=labels.device)
        weights = weights.index_fill(0, suspects, self.settings.consistency_weight)
        logits = learner.forward(batch.images)
        return (1 - ramp) * self.batch_loss(logits, labels) + ramp * self.batch_loss(logits, targets, weights)

    def _suspects_in_plane(self, batch: Batch, labels: Tensor, proposed: Tensor, typical: TypicalLoss) -> Tensor:
        """Return the indices of the samples whose labels differ from what both networks predicted more than is usual."""
        always, open_to_doubt = self._beyond_question(batch)
        if not open_to_doubt.any():
            return always
        differing = (labels != proposed).float().mean(dim=(1, 2))
        ranking = typical.relative(differing, labels)
        return torch.cat([suspected(ranking, open_to_doubt, self.settings.clean_share), always])

    def _strong_views(
        self, batch: Batch, suspects: Sequence[Tensor], generator: torch.Generator
    ) -> tuple[StrongView, StrongView]:
        """Return what each network learns from: its suspects distorted, the other samples as they are.

        A network that saw distorted slices alone, as it would where all labels are in doubt, predicted plain ones worse
        from epoch to epoch (see Docs/tried.md).
        """
        device = batch.images.device
        doubted = [
            torch.zeros(len(batch.images), dtype=torch.bool, device=device).index_fill(0, own, True) for own in suspects
        ]
        first = StrongView.draw(batch.images, doubted[0], self.settings, generator)
        if suspects[0] is suspects[1]:
            return first, first
        return first, StrongView.draw(batch.images, doubted[1], self.settings, generator)

    def _suspects(self, learners: Sequence[Learner], batch: Batch, sample_losses: Sequence[Tensor]) -> list[Tensor]:
        """Return the indices of the samples whose labels each network doubts.

        Args:
            sample_losses: (B,) of each network on its labels; not needed for Ranking.TEACHER_LOSS.
        """
        settings = self.settings
        always, open_to_doubt = self._beyond_question(batch)
        if not open_to_doubt.any():
            return [always, always]
        rankings = sample_losses
        if settings.ranking is Ranking.TEACHER_LOSS:
            rankings = [
                self.sample_losses(_log(learner.predict(batch.plain_images)), labels)
                for learner, labels in zip(learners, reversed(batch.labels), strict=True)
            ]
        if settings.ranking is not Ranking.LOSS:
            rankings = [
                typical.relative(losses, labels)
                for typical, losses, labels in zip(self._typical_losses, rankings, reversed(batch.labels), strict=True)
            ]
        return [
            torch.cat([suspected(ranking, open_to_doubt, settings.clean_share), always])
            for ranking in reversed(rankings)
        ]

    def _beyond_question(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the indices of the samples that are suspect in any case, and (B,) bool on the CPU which may be."""
        settings = self.settings
        questionable = ~batch.trusted if settings.trust_hqa else torch.ones_like(batch.trusted)
        certain = batch.generated if settings.doubt_generated else torch.zeros_like(batch.generated)
        return on_device(certain.nonzero().squeeze(1), batch.images.device), questionable & ~certain

    def _filtered_loss(
        self,
        logits: Tensor,
        sample_losses: Tensor,
        suspects: Tensor,
        counterpart: Learner,
        batch: Batch,
        ramp: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Return the paper's loss of one network: the suspects are held less to their labels and more to pseudo-labels."""
        if not len(suspects):
            return sample_losses.mean()
        pseudo_labels, weights = self._pseudo_labels(counterpart, batch.plain_images[suspects], generator)
        consistency = consistency_loss(logits[suspects].softmax(dim=1), pseudo_labels, weights)
        doubt = torch.zeros_like(sample_losses).index_fill(0, suspects, ramp)
        supervised = ((1 - doubt) * sample_losses).sum()
        return (supervised + self.settings.consistency_weight * ramp * consistency.sum()) / len(sample_losses)

    def _pseudo_labels(self, counterpart: Learner, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count = len(images) * self.settings.pseudo_label_augmentations
        augmentation = SpatialAugmentation.draw(
            count, self.settings.pseudo_label_rotation, self.settings.pseudo_label_flip, generator
        )
        return make_pseudo_labels(counterpart.predict, images, augmentation, self.settings.pseudo_label_temperature)

    def correct_labels(
        self, slices: SliceSet, label_sets: Sequence[LabelSet], predictions: Predictions, epoch: int
    ) -> None:
        settings = self.settings
        doubting_epoch = epoch - self.trusting_epochs
        if not correction_is_due(
            doubting_epoch, settings.correction_first_epoch, settings.warm_up_epochs, settings.correction_interval
        ):
            return
        protected = [case.quality is LabelQuality.HQA for case in slices.cases]
        # What people drew is better than what networks make of it, unless it is an outlier; generated labels are not.
        margins = [
            0.0 if case.quality is LabelQuality.UNLABELLED else settings.correction_margin for case in slices.cases
        ]
        own_labels = predictions.labels if predictions.joint is None else (predictions.joint, predictions.joint)
        for label_set, labels, agreements in zip(label_sets, own_labels, predictions.agreements, strict=True):
            chosen = cases_to_correct(agreements, protected, settings.correction_share)
            if settings.correction_needs_consensus:
                chosen = with_consensus(chosen, predictions.mutual_agreements(), agreements, margins)
            for case_index in chosen:
                label_set.rewrite(slices, case_index, labels[case_index], epoch)


def _log(probabilities: Tensor) -> Tensor:
    """Return the logarithm of probabilities, finite also of those that are rounded to 0.

    One infinite loss would leave the typical loss of the epoch without a number.
    """
    return probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()
