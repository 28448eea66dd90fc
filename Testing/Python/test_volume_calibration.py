from pathlib import Path

import numpy as np
import pytest
import torch

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.volume_calibration import LARGEST_OFFSET, VolumeCalibration, calibrated_offsets


def shares_after(log_probabilities, offsets):
    predicted = (log_probabilities + offsets).argmax(dim=1)
    return torch.bincount(predicted, minlength=len(offsets)) / len(predicted)


def test_predictions_get_the_wanted_volumes():
    generator = torch.Generator().manual_seed(0)
    log_probabilities = (2 * torch.randn(50_000, 3, generator=generator)).log_softmax(dim=1)
    wanted = torch.tensor([0.8, 0.15, 0.05])
    offsets = calibrated_offsets(log_probabilities, torch.zeros(3), wanted)
    assert offsets[0] == 0
    assert shares_after(log_probabilities, offsets).tolist() == pytest.approx(wanted.tolist(), rel=0.03)


def test_offsets_in_force_are_taken_into_account():
    generator = torch.Generator().manual_seed(0)
    log_probabilities = (2 * torch.randn(50_000, 2, generator=generator)).log_softmax(dim=1)
    wanted = torch.tensor([0.7, 0.3])
    fresh = calibrated_offsets(log_probabilities, torch.zeros(2), wanted)
    in_force = torch.tensor([0.0, -1.0])
    again = calibrated_offsets((log_probabilities + in_force).log_softmax(dim=1), in_force, wanted)
    assert again.tolist() == pytest.approx(fresh.tolist(), abs=0.05)


def test_nobody_is_talked_into_a_structure_that_was_not_learned():
    log_probabilities = torch.tensor([[0.0, -50.0, -40.0]]).repeat(100, 1)
    offsets = calibrated_offsets(log_probabilities, torch.zeros(3), torch.tensor([0.5, 0.5, 0.0]))
    assert offsets.tolist() == [0.0, LARGEST_OFFSET, 0.0]


def make_slices(qualities):
    labels = [np.full((2, 16, 16), index % 2, np.uint8) for index in range(len(qualities))]
    cases = [
        CaseSlices(
            Case(
                f"c{index}",
                (Path("i"),),
                None if quality is LabelQuality.UNLABELLED else Path("l"),
                quality,
                Split.TRAIN,
            ),
            np.zeros((2, 1, 16, 16), np.float32),
            own,
        )
        for index, (quality, own) in enumerate(zip(qualities, labels, strict=True))
    ]
    slices = SliceSet.build(cases, torch.device("cpu"))
    return slices, slices.pad_labels(labels)


def test_only_labels_of_people_count():
    # The cases that a model labelled are all of class 1 here; of the others every second one.
    qualities = [LabelQuality.LQA] * 10 + [LabelQuality.UNLABELLED] * 10
    slices, labels = make_slices(qualities)
    labels[20:] = 1
    calibration = VolumeCalibration.of(slices, labels, 2)
    assert calibration.shares.tolist() == [0.5, 0.5]
    assert len(calibration.images) == 20


def test_the_volumes_of_a_few_cases_bind_nobody():
    assert VolumeCalibration.of(*make_slices([LabelQuality.HQA] * 2 + [LabelQuality.UNLABELLED] * 40), 2) is None


def test_the_offsets_of_a_network():
    slices, labels = make_slices([LabelQuality.LQA] * 10)
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20, 1, 16, 16, generator=generator)

    def predict(images):
        # A network that takes a sixth of all pixels for foreground where half are.
        own = scores[: len(images)]
        return torch.cat([torch.zeros_like(own), own - 1], dim=1).softmax(dim=1)

    offsets = VolumeCalibration.of(slices, labels, 2).offsets(predict, torch.zeros(2))
    assert offsets.tolist() == pytest.approx([0, 1], abs=0.1)
