"""One stage of a training: networks that learn from one slice set by one method, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.batch_sampling import epoch_batches
from AIDELib.batch_statistics import batches_for_statistics
from AIDELib.case import LabelQuality
from AIDELib.deformation import Deformation
from AIDELib.intensity_augmentation import perturb_intensity
from AIDELib.label_pass import agreements_with, predict_labels
from AIDELib.label_set import LabelSet
from AIDELib.learner import Learner
from AIDELib.memory_thrift import MemoryThrift
from AIDELib.networks import create_network
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.seeding import derived_generator, derived_seed
from AIDELib.settings import LearningRateSchedule, Settings
from AIDELib.slice_set import SliceSet
from AIDELib.training_method import Batch, Predictions, TrainingMethod
from AIDELib.volume_calibration import VolumeCalibration

# Called after each iteration with the iterations done and all of the epoch; may raise to leave the epoch unfinished.
IterationObserver = Callable[[int, int], None]


@dataclass(frozen=True)
class EpochResult:
    """What one epoch brought.

    Attributes:
        epoch: counted from 1.
        losses: mean loss of each network.
        predictions: of each training case, before the correction.
        corrected: for each network, the cases whose labels were rewritten.
    """

    epoch: int
    losses: tuple[float, ...]
    predictions: Predictions
    corrected: tuple[tuple[str, ...], ...]


class Stage:
    """The state of a stage, and the epoch that takes it one step further.

    Attributes:
        index: which stage of the run; stages draw different random numbers.
        epoch: epochs done.
        epochs: epochs to do.
        learners: one per network of the method.
        label_sets: one per network of the method.
        slices: the training slices.
        group: the processes that train together.
    """

    def __init__(
        self,
        index: int,
        method: TrainingMethod,
        epochs: int,
        slices: SliceSet,
        labels: Tensor,
        structure_count: int,
        thrift: MemoryThrift | None = None,
        group: ProcessGroup = ALONE,
    ) -> None:
        self.index = index
        self.method = method
        self.epoch = 0
        self.epochs = epochs
        self.slices = slices
        self.structure_count = structure_count
        self.settings = method.settings
        device = slices.device
        self.learners = tuple(
            Learner(self._initial_network(position), self.settings, device, structure_count + 1, thrift, group)
            for position in range(method.network_count)
        )
        self.group = group
        self.label_sets = tuple(LabelSet.given(labels, slices) for _ in self.learners)
        # Methods that use the labels as they are have nothing that could drift.
        calibrated = self.settings.volume_calibration and method.network_count > 1
        self._calibration = VolumeCalibration.of(slices, labels, structure_count + 1) if calibrated else None
        self._trusted = set(slices.slices_of(LabelQuality.HQA))
        self._generated = set(slices.slices_of(LabelQuality.UNLABELLED))
        self._others = sorted(set(range(len(slices.images))) - self._trusted)

    def run_epoch(self, observe: IterationObserver) -> EpochResult:
        """Train for one epoch, predict all cases, correct labels."""
        epoch = self.epoch + 1
        torch.manual_seed(derived_seed(self.settings.seed, self.index, epoch, 1))
        generator = derived_generator(self.settings.seed, self.index, epoch)
        self.method.begin_epoch()
        losses = self._train(epoch, generator, observe)
        predictions = self.predict_training_cases()
        corrections_before = [[len(epochs) for epochs in label_set.corrected_at] for label_set in self.label_sets]
        self.method.correct_labels(self.slices, self.label_sets, predictions, epoch)
        self.epoch = epoch
        return EpochResult(epoch, losses, predictions, self._corrected_since(corrections_before))

    def predict_training_cases(self) -> Predictions:
        """Return each network's prediction of each training case and its agreement with the network's label set."""
        self.look_at(self.slices)
        labels = tuple(self._predict_and_calibrate(learner) for learner in self.learners)
        agreements = tuple(
            agreements_with(own, label_set.labels, self.slices, self.structure_count, self.group)
            for own, label_set in zip(labels, self.label_sets, strict=True)
        )
        return Predictions(labels, agreements, self.structure_count)

    def look_at(self, slices: SliceSet) -> None:
        """Prepare the networks to predict slices like these: of cases without label, if there are any."""
        if self.settings.plain_statistics:
            indices = slices.slices_of(LabelQuality.UNLABELLED) or range(len(slices.images))
            for learner in self.learners:
                learner.estimate_statistics(batches_for_statistics(slices, indices, self.settings.batch_size))

    def _predict_and_calibrate(self, learner: Learner) -> list[NDArray[np.uint8]]:
        """Return the predictions of one network, as large as the given labels where that is wanted."""
        if self._calibration is not None:
            learner.offsets = self._calibration.offsets(learner.predict, learner.offsets)
        return predict_labels(learner.predict, self.slices, self.structure_count, self.group)

    def _train(self, epoch: int, generator: torch.Generator, observe: IterationObserver) -> tuple[float, ...]:
        settings = self.settings
        batches = list(
            epoch_batches(
                sorted(self._trusted),
                self._others,
                settings.batch_size,
                settings.trusted_share,
                settings.iterations_per_epoch,
                generator,
            )
        )
        sums = torch.zeros(len(self.learners), device=self.slices.device)
        for iteration, indices in enumerate(batches):
            losses = self.method.losses(self.learners, self.batch(indices, generator), epoch, generator)
            progress = (epoch - 1 + iteration / len(batches)) / self.epochs
            for learner, loss in zip(self.learners, losses, strict=True):
                learner.step(loss, learning_rate(settings, epoch, progress))
            sums += torch.stack([loss.detach() for loss in losses])
            observe(iteration + 1, len(batches))
        return tuple((sums / len(batches)).tolist())

    def batch(self, indices: list[int], generator: torch.Generator) -> Batch:
        """Return the augmented samples of these slices with their labels from each label set."""
        settings = self.settings
        images = self.slices.take(self.slices.images, indices)
        labels = tuple(self.slices.take(label_set.labels, indices) for label_set in self.label_sets)
        if not settings.input_deformation.is_empty:
            size = (len(indices), *images.shape[2:])
            deformation = Deformation.draw(size, settings.input_deformation, generator, images.device)
            images = deformation.apply(images)
            labels = tuple(deformation.apply_to_labels(own) for own in labels)
        images = images.contiguous(memory_format=torch.channels_last)
        return Batch(
            images=perturb_intensity(images, settings.input_intensity, generator),
            plain_images=images,
            labels=labels,
            trusted=torch.tensor([index in self._trusted for index in indices]),
            generated=torch.tensor([index in self._generated for index in indices]),
        )

    def _initial_network(self, position: int) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(derived_seed(self.settings.seed, self.index, 0, position))
            return create_network(
                self.settings.network,
                self.slices.images.shape[1],
                self.structure_count + 1,
                self.settings.network_width,
            )

    def _corrected_since(self, counts: list[list[int]]) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(
                case.id
                for case, epochs, before in zip(self.slices.cases, label_set.corrected_at, own_counts, strict=True)
                if len(epochs) > before
            )
            for label_set, own_counts in zip(self.label_sets, counts, strict=True)
        )


def learning_rate(settings: Settings, epoch: int, progress: float) -> float:
    """Return the learning rate of an iteration.

    Args:
        epoch: counted from 1.
        progress: share of the stage done, 0 to 1.
    """
    if settings.learning_rate_schedule is LearningRateSchedule.COSINE:
        return settings.learning_rate * (1 + math.cos(math.pi * progress)) / 2
    return settings.learning_rate * 0.5 ** ((epoch - 1) // settings.learning_rate_halving_epochs)
