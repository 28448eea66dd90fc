from pathlib import Path

import numpy as np
import pytest
import torch

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.volume_calibration import (
    LARGEST_OFFSET,
    VolumeCalibration,
    _at_even_distances,
    _stride_through_all_columns,
    calibrated_offsets,
)


def test_predictions_get_the_wanted_volumes():
    scores = 2 * torch.randn(50_000, 3, generator=torch.Generator().manual_seed(0))
    wanted = torch.tensor([0.8, 0.15, 0.05])
    offsets = calibrated_offsets(scores, wanted)
    assert offsets[0] == 0
    shares = torch.bincount((scores + offsets).argmax(dim=1), minlength=3) / len(scores)
    assert shares.tolist() == pytest.approx(wanted.tolist(), rel=0.03)


def test_nobody_is_talked_into_a_structure_that_was_not_learned():
    scores = torch.tensor([[0.0, -50.0, -40.0]]).repeat(100, 1)
    assert calibrated_offsets(scores, torch.tensor([0.5, 0.5, 0.0])).tolist() == [0.0, LARGEST_OFFSET, 0.0]


def make_slices(qualities, foreground_rows):
    labels = []
    for rows in foreground_rows:
        labels.append(np.zeros((2, 16, 16), np.uint8))
        labels[-1][:, :rows] = 1
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
    slices = SliceSet.build(cases, SliceStorage(torch.device("cpu")), (16, 16))
    return slices, slices.pad_labels(labels)


def test_the_labels_of_people_set_the_bounds():
    qualities = [LabelQuality.HQA, LabelQuality.LQA, LabelQuality.UNLABELLED, LabelQuality.UNLABELLED]
    calibration = VolumeCalibration.of(*make_slices(qualities, [6, 10, 16, 16]), 2)
    # 6 and 10 of 16 rows: mean 0.5; squared deviations 2 * 0.125^2 and, of two usual cases, 2 * 0.15^2, over 3; of the
    # mean of two cases half of that.
    assert calibration.highest[1] == pytest.approx(0.5 + 0.11273, abs=1e-4)
    # The good label alone: 6 of 16 rows, less 30 %.
    assert calibration.lowest[1] == pytest.approx(0.375 * 0.7, abs=1e-4)
    rough = VolumeCalibration.of(*make_slices([LabelQuality.LQA] * 2, [6, 10]), 2)
    assert rough.lowest[1] == pytest.approx(0.5 - 0.11273, abs=1e-4)
    assert rough.highest[1] == pytest.approx(0.5 + 0.11273, abs=1e-4)
    # All but the HQA case are in doubt.
    assert len(calibration.images) == 6


def test_bounds_where_the_spread_is_not_known():
    unlabelled = [LabelQuality.UNLABELLED] * 3
    one = VolumeCalibration.of(*make_slices([LabelQuality.HQA, *unlabelled], [8] * 4), 2)
    assert (one.lowest[1].item(), one.highest[1].item()) == pytest.approx((0.5 * 0.7, 0.5 * 1.3))
    alike = VolumeCalibration.of(*make_slices([LabelQuality.HQA] * 4 + unlabelled, [8] * 7), 2)
    assert (alike.lowest[1].item(), alike.highest[1].item()) == pytest.approx((0.5 - 0.04743, 0.5 + 0.04743), abs=1e-4)


def test_the_offsets_of_a_network_are_those_in_force_for_its_own_scores():
    calibration = VolumeCalibration.of(*make_slices([LabelQuality.LQA] * 10, [0, 16] * 5), 2)
    noise = torch.randn(20, 1, 16, 16, generator=torch.Generator().manual_seed(0))

    def network(in_force):
        # Of itself it takes a sixth of all pixels for foreground, where half are, with a standard error of a sixth.
        def predict(images):
            own = noise[: len(images)] - 1
            return (torch.cat([torch.zeros_like(own), own], dim=1) + in_force.view(1, 2, 1, 1)).softmax(dim=1)

        return predict

    for in_force in (torch.zeros(2), torch.tensor([0.0, 2.0])):
        offsets = calibration.offsets(network(in_force), in_force)
        assert offsets.tolist() == pytest.approx([0, 0.57], abs=0.1)


def test_a_network_within_the_bounds_is_left_alone():
    calibration = VolumeCalibration.of(*make_slices([LabelQuality.LQA] * 4, [8] * 4), 2)
    halves = torch.zeros(1, 2, 16, 16)
    halves[:, 1, :8], halves[:, 1, 8:] = 3.0, -3.0
    offsets = calibration.offsets(lambda images: halves.expand(len(images), -1, -1, -1).softmax(dim=1), torch.zeros(2))
    assert offsets.tolist() == [0.0, 0.0]


def test_thick_slices_count_by_their_volume():
    thin, thick = np.zeros((30, 16, 16), np.uint8), np.zeros((10, 16, 16), np.uint8)
    thin[6:24, :8] = thick[2:8, :8] = 1
    shares = {}
    for name, (given, given_mm), (doubted, doubted_mm) in (
        ("thin", (thin, 1.0), (thick, 3.0)),
        ("thick", (thick, 3.0), (thin, 1.0)),
    ):
        cut = [
            CaseSlices(
                Case(f"{quality.value} {index}", (Path("i"),), given_label, quality, Split.TRAIN),
                np.stack([labels]).swapaxes(0, 1).astype(np.float32),
                labels,
                distance=distance,
            )
            for quality, given_label, labels, distance in (
                (LabelQuality.HQA, Path("l"), given, given_mm),
                (LabelQuality.UNLABELLED, None, doubted, doubted_mm),
            )
            for index in range(4)
        ]
        slices = SliceSet.build(cut, SliceStorage(torch.device("cpu")), (16, 16))
        calibration = VolumeCalibration.of(slices, slices.pad_labels([case.labels for case in cut]), 2)
        shares[name] = float(calibration.images.mean())
        # Six tenths of the slices of each case hold the structure in half of their pixels.
        assert float(calibration.lowest[1]) < 0.3 < float(calibration.highest[1])
        assert float(calibration.lowest[1] + calibration.highest[1]) / 2 == pytest.approx(0.3)
    assert shares == {"thin": pytest.approx(0.3), "thick": pytest.approx(0.3)}


def test_slices_are_sampled_evenly_in_mm():
    # One case of three slices 4 mm apart and one of eight 1 mm apart; the usual distance is 1 mm.
    assert _at_even_distances(np.array([4.0] * 3 + [1.0] * 8)) == [0] * 4 + [1] * 4 + [2] * 4 + list(range(3, 11))
    assert _at_even_distances(np.array([2.5] * 600)) == list(range(0, 600, 2))
    assert _at_even_distances(np.array([0.7] * 7)) == list(range(7))


def test_pixels_are_sampled_from_all_columns():
    assert [_stride_through_all_columns(wanted, 64) for wanted in (0, 1, 2, 11, 64)] == [1, 1, 3, 11, 65]
    assert _stride_through_all_columns(24, 192) == 25
