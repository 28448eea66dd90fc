"""The methods that the paper compares AIDE with, on the same data, networks and trainer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from AIDELib.case import LabelQuality
from AIDELib.label_filtering import suspected
from AIDELib.label_set import LabelSet
from AIDELib.learner import Learner
from AIDELib.method_name import MethodName, learned_qualities, network_count
from AIDELib.slice_set import SliceSet
from AIDELib.training_method import Batch, Predictions, TrainingMethod


class Conventional(TrainingMethod):
    """One network on all labels as they are: given ones, and generated ones for unlabelled cases."""

    name = MethodName.CONVENTIONAL.value
    network_count = network_count(MethodName.CONVENTIONAL)

    def losses(
        self, learners: Sequence[Learner], batch: Batch, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        return tuple(
            self.batch_loss(learner.forward(batch.images), labels)
            for learner, labels in zip(learners, batch.labels, strict=True)
        )

    def losses_in_planes(
        self, learners: Sequence[Learner], batches: Sequence[Batch], epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        return tuple(
            self.batch_loss(learner.forward(batch.images), batch.labels[own])
            for own, (learner, batch) in enumerate(zip(learners, batches, strict=True))
        )


class Supervised(Conventional):
    """One network on the labels of high quality alone."""

    name = MethodName.SUPERVISED.value
    qualities = learned_qualities(MethodName.SUPERVISED)


class SupervisedOnAllLabels(Conventional):
    """One network on all labels that people made: labels unlabelled cases where no label is of high quality."""

    name = "supervised-on-all-labels"
    qualities = frozenset({LabelQuality.HQA, LabelQuality.LQA})


class PseudoLabel(Conventional):
    """One network; after every epoch it predicts anew all labels that are not of high quality (Lee 2013)."""

    name = MethodName.PSEUDO_LABEL.value

    def correct_labels(
        self, slices: SliceSet, label_sets: Sequence[LabelSet], predictions: Predictions, epoch: int
    ) -> None:
        for case_index, case in enumerate(slices.cases):
            if case.quality is not LabelQuality.HQA:
                label_sets[0].rewrite(slices, case_index, predictions.labels[0][case_index], epoch)


class CoTeaching(TrainingMethod):
    """Two networks; each drops the samples on which the other's loss is large (Han et al., NeurIPS 2018).

    What they drop rises over the warm-up, which begins, as AIDE's doubt does, after the epochs in which labels are trusted.
    """

    name = MethodName.CO_TEACHING.value
    network_count = network_count(MethodName.CO_TEACHING)

    def losses(
        self, learners: Sequence[Learner], batch: Batch, epoch: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        logits = [learner.forward(batch.images) for learner in learners]
        sample_losses = [
            self.sample_losses(own, labels).detach() for own, labels in zip(logits, batch.labels, strict=True)
        ]
        warmed_up = max(epoch - 1 - self.trusting_epochs, 0) / self.settings.warm_up_epochs
        dropped_share = (1 - self.settings.clean_share) * min(warmed_up, 1.0)
        every_sample = torch.ones(len(batch.images), dtype=torch.bool)
        dropped = [suspected(losses, every_sample, 1 - dropped_share) for losses in reversed(sample_losses)]
        return tuple(
            self._loss_without(indices, own, labels)
            for indices, own, labels in zip(dropped, logits, batch.labels, strict=True)
        )

    def _loss_without(self, dropped: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of the samples that are not dropped; 0 where none is left."""
        kept = torch.ones(len(logits), dtype=torch.bool, device=logits.device).index_fill(0, dropped, False)
        if not kept.any():
            return 0.0 * logits.sum()
        return self.batch_loss(logits[kept], labels[kept])
