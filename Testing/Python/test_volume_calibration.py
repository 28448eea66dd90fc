import pytest
import torch

from AIDELib.volume_calibration import LARGEST_OFFSET, calibrated_offsets, label_shares, sampled_pixels


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


def test_shares_and_samples():
    labels = torch.tensor([[[0, 0], [1, 2]], [[0, 0], [0, 1]]], dtype=torch.uint8)
    assert label_shares(labels, 4).tolist() == [5 / 8, 2 / 8, 1 / 8, 0]
    values = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    assert sampled_pixels(values, 40).shape == (40, 3)
    assert sampled_pixels(values, 40)[1].tolist() == [1, 21, 41]
    assert len(sampled_pixels(values, 10_000_000)) == 4
