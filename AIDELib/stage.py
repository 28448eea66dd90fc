"""One stage of a training: networks that learn from one slice set by one method, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.batch_source import BatchSource
from AIDELib.batch_statistics import batches_for_statistics
from AIDELib.case import LabelQuality
from AIDELib.joint_opinion import JointOpinion, likeliest
from AIDELib.label_pass import PlanePrediction, agreements_with, predict_in_planes, predict_labels
from AIDELib.label_set import LabelSet
from AIDELib.learner import Learner
from AIDELib.memory_thrift import MemoryThrift
from AIDELib.networks import create_network
from AIDELib.postprocessing import keep_largest_components
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.second_plane import SecondPlane
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
        slices: the training slices; label sets and predictions lie as they do.
        second: the same cases in the plane of the second network; None where both see the same slices.
        opinion: what the networks predict together after each epoch; None without a second plane.
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
        second: SecondPlane | None = None,
    ) -> None:
        self.index = index
        self.method = method
        self.epoch = 0
        self.epochs = epochs
        self.slices = slices
        self.second = second
        self.structure_count = structure_count
        self.settings = method.settings
        device = slices.device
        self.learners = tuple(
            Learner(self._initial_network(position), self.settings, device, structure_count + 1, thrift, group)
            for position in range(method.network_count)
        )
        self.group = group
        self.label_sets = tuple(LabelSet.given(labels, slices) for _ in self.learners)
        self.opinion: JointOpinion | None = None
        if second is not None and method.doubts_labels:
            self.opinion = JointOpinion(slices, labels, structure_count, self.settings.joint_opinion_memory)
        augmented = self.settings.with_input_for(len(slices.cases))
        self._sources = tuple(BatchSource(plane, augmented) for plane in self._planes())
        # Networks that teach each other, or label cases together, could drift; a single one has the labels alone.
        self._calibrations: list[VolumeCalibration] = []
        if self.settings.volume_calibration and method.network_count > 1:
            in_planes = zip(self._planes(), self._in_planes(labels), strict=True)
            self._calibrations = [VolumeCalibration.of(plane, own, structure_count + 1) for plane, own in in_planes]

    def _planes(self) -> tuple[SliceSet, ...]:
        """Return the slices of each plane that networks see."""
        return (self.slices,) if self.second is None else (self.slices, self.second.slices)

    def _in_planes(self, labels: Tensor) -> tuple[Tensor, ...]:
        """Return labels (N, H, W) of the training slices as they lie in each plane."""
        return (labels,) if self.second is None else (labels, self.second.labels(labels))

    def clean(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a predicted label map as it is to be looked at and learned from."""
        return keep_largest_components(labels, self.structure_count) if self.settings.largest_component else labels

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
        self.look_at(self.slices, self.second)
        self._calibrate()
        labels: Sequence[list[NDArray[np.uint8]]]
        if self.second is None:
            labels, joint = self.predict_apart(self.slices, None), None
        else:
            labels, joint = self._predict_and_take_up(self.second)
        agreements = tuple(
            agreements_with(own, label_set.labels, self.slices, self.structure_count, self.group)
            for own, label_set in zip(labels, self.label_sets, strict=True)
        )
        return Predictions(tuple(labels), agreements, self.structure_count, joint)

    def look_at(self, slices: SliceSet, second: SecondPlane | None = None) -> None:
        """Prepare the networks to predict slices like these: of cases without label, if there are enough of them."""
        if not self.settings.plain_statistics:
            return
        planes = (slices, slices if second is None else second.slices)
        for position, learner in enumerate(self.learners):
            own = planes[position % 2]
            indices: Sequence[int] = own.slices_of(LabelQuality.UNLABELLED)
            if len(indices) < self.settings.batch_size:
                indices = range(len(own.images))
            learner.estimate_statistics(batches_for_statistics(own, indices, self.settings.batch_size))

    def predict_jointly(self, slices: SliceSet, second: SecondPlane | None) -> list[NDArray[np.uint8]]:
        """Return the label map (Z, H, W) of each case that the mean of all networks predicts."""
        if second is not None:
            return self._clean_all([likeliest(prediction.joint) for prediction in self._in_each_plane(second)])
        return predict_labels(
            lambda images: torch.stack([learner.predict(images) for learner in self.learners]).mean(dim=0),
            slices,
            self.clean,
            self.group,
        )

    def predict_apart(self, slices: SliceSet, second: SecondPlane | None) -> list[list[NDArray[np.uint8]]]:
        """Return for each network the label map (Z, H, W) of each case."""
        if second is None:
            return [predict_labels(learner.predict, slices, self.clean, self.group) for learner in self.learners]
        pairs = [
            (likeliest(prediction.first), likeliest(prediction.second)) for prediction in self._in_each_plane(second)
        ]
        return [self._clean_all([pair[network] for pair in pairs]) for network in range(2)]

    def suggestions(self) -> list[NDArray[np.uint8]]:
        """Return the label map (Z, H, W) that the networks together think best for each training case."""
        if self.opinion is None:
            return self.predict_jointly(self.slices, None)
        return [self.slices.case_labels(self.opinion.labels, index) for index in range(len(self.slices.cases))]

    def _predict_and_take_up(
        self, second: SecondPlane
    ) -> tuple[list[list[NDArray[np.uint8]]], list[NDArray[np.uint8]] | None]:
        """Return the label maps of each network and, where they have an opinion in common, those of it as it is now."""
        opinion = self.opinion
        if opinion is None:
            return self.predict_apart(self.slices, second), None
        of_each_case = [
            (
                likeliest(prediction.first),
                likeliest(prediction.second),
                opinion.take_up(index, prediction.joint, is_first=self.epoch == 0),
            )
            for index, prediction in enumerate(self._in_each_plane(second))
        ]
        first, other, joint = (self._clean_all(list(labels)) for labels in zip(*of_each_case, strict=True))
        for index, labels in enumerate(joint):
            opinion.settle(index, labels)
        return [first, other], joint

    def _clean_all(self, labels: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
        return self.group.map(self.clean, labels)

    def _in_each_plane(self, second: SecondPlane) -> Iterator[PlanePrediction]:
        first, other = self.learners
        return predict_in_planes((first.predict, other.predict), second, self.group)

    def _calibrate(self) -> None:
        """Make the predictions of each network as large as the given labels, where that is wanted."""
        if self._calibrations:
            for position, learner in enumerate(self.learners):
                calibration = self._calibrations[position % len(self._calibrations)]
                learner.offsets = calibration.offsets(learner.predict, learner.offsets)

    def _train(self, epoch: int, generator: torch.Generator, observe: IterationObserver) -> tuple[float, ...]:
        settings = self.settings
        first, *others = self._sources
        of_each_plane = [list(first.epoch(settings.iterations_per_epoch, generator))]
        of_each_plane += [list(other.epoch(len(of_each_plane[0]), generator)) for other in others]
        batches = list(zip(*of_each_plane, strict=True))
        labels = [self._in_planes(label_set.labels) for label_set in self.label_sets]
        proposed = (None, None) if self.opinion is None else self._in_planes(self.opinion.labels)
        sums = torch.zeros(len(self.learners), device=self.slices.device)
        for iteration, indices in enumerate(batches):
            drawn = [
                source.batch(own, [labels_of_set[plane] for labels_of_set in labels], proposed[plane], generator)
                for plane, (source, own) in enumerate(zip(self._sources, indices, strict=True))
            ]
            losses = self._losses(drawn, epoch, generator)
            progress = (epoch - 1 + iteration / len(batches)) / self.epochs
            for learner, loss in zip(self.learners, losses, strict=True):
                learner.step(loss, learning_rate(settings, epoch, progress))
            sums += torch.stack([loss.detach() for loss in losses])
            observe(iteration + 1, len(batches))
        return tuple((sums / len(batches)).tolist())

    def _losses(self, batches: Sequence[Batch], epoch: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        if self.second is None:
            return self.method.losses(self.learners, batches[0], epoch, generator)
        return self.method.losses_in_planes(self.learners, batches, epoch, generator)

    def batch(self, indices: list[int], generator: torch.Generator) -> Batch:
        """Return the augmented samples of these slices of the first plane with their labels from each label set."""
        proposed = None if self.opinion is None else self.opinion.labels
        return self._sources[0].batch(indices, [own.labels for own in self.label_sets], proposed, generator)

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
