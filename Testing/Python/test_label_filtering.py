import pytest
import torch

from AIDELib.label_filtering import consistency_ramp, suspected
from AIDELib.typical_loss import TypicalLoss


def test_samples_with_the_largest_loss_are_suspected():
    losses = torch.tensor([0.3, 0.9, 0.1, 0.5])
    assert suspected(losses, torch.ones(4, dtype=torch.bool), 0.5).tolist() == [3, 1]


def test_trusted_samples_are_never_suspected():
    losses = torch.tensor([0.3, 0.9, 0.1, 0.5])
    questionable = torch.tensor([True, False, True, False])
    assert suspected(losses, questionable, 0.5).tolist() == [0]
    assert suspected(losses, torch.zeros(4, dtype=torch.bool), 0.5).tolist() == []


@pytest.mark.parametrize(("epoch", "expected"), [(0, 0.0), (5, 0.0625), (10, 0.25), (20, 1.0), (99, 1.0)])
def test_ramp_is_the_square_of_the_epoch_over_the_warm_up(epoch, expected):
    assert consistency_ramp(epoch, 20) == pytest.approx(expected)


def test_relative_loss_compares_empty_slices_with_empty_slices():
    empty, full = torch.zeros(4, 4, dtype=torch.uint8), torch.ones(4, 4, dtype=torch.uint8)
    labels = torch.stack([empty, empty, full, full])
    typical = TypicalLoss()
    typical.relative(torch.tensor([0.9, 0.9, 0.1, 0.1]), labels)
    relative = typical.relative(torch.tensor([0.9, 0.9, 0.1, 0.4]), labels)
    # Empty slices always cost 0.9, so none stands out; the full slice of 0.4 does: mean 0.175, deviation 0.1299.
    assert relative[:2].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert relative[3].item() == pytest.approx((0.4 - 0.175) / 0.1299, abs=1e-3)
