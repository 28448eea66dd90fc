"""Run by test_several_processes under torchrun: iterations of several processes against those of one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from AIDELib.batch_statistics import batches_for_statistics
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.label_pass import predict_labels
from AIDELib.methods import create_method
from AIDELib.presets import PAPER, STANDARD
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.second_plane import SecondPlane
from AIDELib.seeding import derived_generator
from AIDELib.settings import Normalization
from AIDELib.several_processes import processes_of_torchrun
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.stage import Stage

CPU = torch.device("cpu")
EPOCH = 30
CHANGES = {"network_width": 4, "batch_size": 4}
TRAININGS = [
    ("aide", PAPER.replace(**CHANGES)),
    ("aide", STANDARD.replace(**CHANGES, averaging=0.9)),
    ("co-teaching", STANDARD.replace(**CHANGES)),
    ("conventional", PAPER.replace(**CHANGES)),
]


def make_stage(method: str, settings, group: ProcessGroup) -> Stage:
    random = np.random.default_rng(0)
    qualities = [LabelQuality.HQA, LabelQuality.LQA, LabelQuality.UNLABELLED]
    cases = [
        CaseSlices(
            Case(
                f"c{index}",
                (Path("i"), Path("j")),
                None if quality is LabelQuality.UNLABELLED else Path("l"),
                quality,
                Split.TRAIN,
            ),
            random.standard_normal((3, 2, 32, 32)).astype(np.float32),
            random.integers(0, 3, (3, 32, 32)).astype(np.uint8),
        )
        for index, quality in enumerate(qualities)
    ]
    slices = SliceSet.build(cases, SliceStorage(CPU), (16, 16))
    labels = slices.pad_labels([case.labels for case in cases])
    # Adam makes whole steps of gradients that are 0 but for rounding; in double precision there are none.
    slices = dataclasses.replace(slices, images=slices.images.double())
    stage = Stage(1, create_method(method, settings), 100, slices, labels, 2, group=group)
    for learner in stage.learners:
        learner.network.double()
        learner.predictor.double()
    return stage


def make_stage_in_planes(group: ProcessGroup) -> Stage:
    """Return a stage whose second network sees axial slices where the first sees sagittal ones."""
    random = np.random.default_rng(0)
    settings = STANDARD.replace(
        **CHANGES, averaging=0.9, iterations_per_epoch=3, warm_up_epochs=1, correction_first_epoch=1
    )
    cut = []
    for index, quality in enumerate([LabelQuality.HQA, LabelQuality.LQA, LabelQuality.UNLABELLED]):
        volume = random.standard_normal((16, 20, 18)).astype(np.float32)  # z, y, x
        label = None if quality is LabelQuality.UNLABELLED else Path("l")
        images = np.ascontiguousarray(np.moveaxis(volume, 2, 0)[:, None])
        labels = (images[:, 0] > 1).astype(np.uint8)
        cut.append(
            CaseSlices(Case(f"c{index}", (Path("i"),), label, quality, Split.TRAIN), images, labels, volume[:, None])
        )
    sagittal, axial = (
        SlicePlan(plane, (1.0, 1.0), Normalization.VOLUME, (16, 16))
        for plane in (SliceOrientation.SAGITTAL, SliceOrientation.AXIAL)
    )
    storage = SliceStorage(CPU)
    first = SliceSet.build(cut, storage, (16, 16))
    second = SecondPlane.build(cut, first, sagittal, axial, storage)
    labels = first.pad_labels([case.labels for case in cut])
    first = dataclasses.replace(first, images=first.images.double())
    second = dataclasses.replace(
        second, first=first, slices=dataclasses.replace(second.slices, images=second.slices.images.double())
    )
    stage = Stage(1, create_method("aide", settings), 100, first, labels, 1, group=group, second=second)
    for learner in stage.learners:
        learner.network.double()
        learner.predictor.double()
    return stage


def compare_in_planes(group: ProcessGroup) -> None:
    together, alone = make_stage_in_planes(group), make_stage_in_planes(ALONE)
    for _ in range(2):
        own, expected = (stage.run_epoch(lambda done, total: None) for stage in (together, alone))
        np.testing.assert_allclose(own.losses, expected.losses, rtol=1e-6, err_msg=f"planes, {group.size}")
        assert own.corrected == expected.corrected
    assert torch.equal(together.opinion.labels, alone.opinion.labels)


def train_iterations(stage: Stage) -> list[list[float]]:
    generator = derived_generator(1)
    losses = []
    for indices in ([0, 4, 7, 2], [8, 1, 5, 3], [6, 0, 2, 8], [7, 5, 4, 1]):
        own = stage.method.losses(stage.learners, stage.batch(indices, generator), EPOCH, generator)
        for learner, loss in zip(stage.learners, own, strict=True):
            learner.step(loss, stage.settings.learning_rate)
        losses.append([float(loss.detach()) for loss in own])
    return losses


def compare(method: str, settings, group: ProcessGroup) -> None:
    together, alone = make_stage(method, settings, group), make_stage(method, settings, ALONE)
    name = f"{method} of {group.size}"
    np.testing.assert_allclose(train_iterations(together), train_iterations(alone), rtol=1e-6, err_msg=name)
    for stage in (together, alone):
        for learner in stage.learners:
            learner.estimate_statistics(batches_for_statistics(stage.slices, range(9), 4))
    for own, expected in zip(together.learners, alone.learners, strict=True):
        for kind in ("network", "predictor"):
            weights, expected_weights = (getattr(learner, kind).state_dict() for learner in (own, expected))
            assert list(weights) == list(expected_weights)
            for part, tensor in weights.items():
                np.testing.assert_allclose(tensor, expected_weights[part], atol=1e-7, err_msg=f"{name}, {kind} {part}")
        labels = predict_labels(own.predict, together.slices, together.clean, group)
        for map_, expected_map in zip(labels, predict_labels(expected.predict, alone.slices, alone.clean), strict=True):
            np.testing.assert_array_equal(map_, expected_map, err_msg=name)


if __name__ == "__main__":
    with processes_of_torchrun(CPU) as processes:
        for training in TRAININGS:
            compare(*training, processes)
        compare_in_planes(processes)
