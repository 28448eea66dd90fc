import math

import pytest
import torch

from AIDELib.consistency_loss import confidence, consistency_loss
from AIDELib.pseudo_label import sharpen
from AIDELib.segmentation_loss import batch_segmentation_loss, segmentation_loss


def test_uniform_prediction_costs_what_eq_1_says():
    # p = 0.5 everywhere, one of four pixels labelled: Dice loss 1 - (2 * 0.5 + 1) / (4 * 0.5 + 1 + 1) = 0.5.
    labels = torch.tensor([[[1, 0], [0, 0]]])
    loss = segmentation_loss(torch.zeros(1, 2, 2, 2), labels, cross_entropy_weight=2.0, dice_smoothing=1.0)
    assert loss.tolist() == pytest.approx([0.5 + 2 * math.log(2)])


def test_dice_is_the_mean_over_the_structures_and_smoothing_forgives_an_absent_one():
    logits = torch.full((1, 3, 1, 2), -50.0)
    logits[0, 1, 0, 0] = logits[0, 0, 0, 1] = 50.0  # predicts structure 1, then background
    perfect = segmentation_loss(logits, torch.tensor([[[1, 0]]]), 0.0, 1.0)
    # Structure 1 missed (1 - 1/2), structure 2 absent from both (0).
    empty_label = segmentation_loss(logits, torch.tensor([[[0, 0]]]), 0.0, 1.0)
    assert perfect.tolist() == pytest.approx([0.0], abs=1e-6)
    assert empty_label.tolist() == pytest.approx([0.25])


def test_over_the_batch_a_slice_without_label_costs_only_its_pixels():
    logits = torch.full((2, 2, 1, 4), -50.0)
    logits[:, 0] = 50.0
    logits[0, :, 0, :3] = torch.tensor([[-50.0], [50.0]])  # three pixels found in the first slice
    logits[1, :, 0, 0] = torch.tensor([-50.0, 50.0])  # one in the second, which has no label
    labels = torch.tensor([[[1, 1, 1, 0]], [[0, 0, 0, 0]]])
    assert segmentation_loss(logits, labels, 0.0, 1.0).tolist() == pytest.approx([0.0, 0.5])
    # 1 - (2 * 3 + 1) / (4 + 3 + 1)
    assert float(batch_segmentation_loss(logits, labels, 0.0, 1.0)) == pytest.approx(0.125)


def test_of_one_sample_both_losses_are_the_same_with_weights_too():
    logits, labels, weights = torch.randn(1, 3, 4, 5), torch.randint(0, 3, (1, 4, 5)), torch.rand(1, 4, 5)
    expected = segmentation_loss(logits, labels, 0.7, 1.0, weights)
    assert float(batch_segmentation_loss(logits, labels, 0.7, 1.0, weights)) == pytest.approx(float(expected[0]))


def test_over_the_batch_the_order_of_the_slices_and_how_they_are_cut_do_not_matter():
    logits, labels = torch.randn(4, 3, 6, 5), torch.randint(0, 3, (4, 6, 5))
    # The same pixels as one image of four times the height.
    joined = batch_segmentation_loss(logits.transpose(0, 1).reshape(1, 3, 24, 5), labels.reshape(1, 24, 5), 1.0, 1.0)
    assert float(batch_segmentation_loss(logits.flip(0), labels.flip(0), 1.0, 1.0)) == pytest.approx(
        float(joined), rel=1e-5
    )


def test_confidence_equals_the_papers_formula_for_two_classes():
    q = torch.rand(3, 1, 4, 5)
    probabilities = torch.cat([q, 1 - q], dim=1)
    assert torch.allclose(confidence(probabilities), 1 - 4 * q[:, 0] * (1 - q[:, 0]), atol=1e-6)


def test_confidence_of_three_classes_runs_from_none_to_full():
    probabilities = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]).view(3, 3, 1, 1)
    assert confidence(probabilities).flatten().tolist() == pytest.approx([0.0, 1.0, 0.25], abs=1e-6)


def test_consistency_is_the_weighted_squared_distance():
    p = torch.tensor([0.5, 0.5, 1.0, 0.0]).view(1, 2, 1, 2).transpose(1, 3).contiguous().view(1, 2, 1, 2)
    q = torch.tensor([[[[1.0, 1.0]], [[0.0, 0.0]]]])
    weights = torch.tensor([[[1.0, 0.5]]])
    distances = ((p - q) ** 2).sum(dim=1).flatten()
    expected = (1.0 * distances[0] + 0.5 * distances[1]) / 2
    assert consistency_loss(p, q, weights).tolist() == pytest.approx([float(expected)])


def test_sharpening_raises_to_the_inverse_temperature():
    probabilities = torch.tensor([0.8, 0.2]).view(1, 2, 1, 1)
    assert sharpen(probabilities, 1.0) is probabilities
    # 0.8^2 / (0.8^2 + 0.2^2)
    assert sharpen(probabilities, 0.5).flatten().tolist() == pytest.approx([0.64 / 0.68, 0.04 / 0.68])
    even = torch.full((1, 4, 1, 1), 0.25)
    assert sharpen(even, 0.01).flatten().tolist() == [0.25] * 4
    assert sharpen(torch.zeros(1, 4, 1, 1), 0.01).flatten().tolist() == [0.0] * 4


def test_pixels_of_weight_0_do_not_count():
    logits, labels = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    weights = torch.ones(2, 4, 5)
    assert torch.allclose(segmentation_loss(logits, labels, 1, 1, weights), segmentation_loss(logits, labels, 1, 1))
    weights[:, :, 3:] = 0
    cut = segmentation_loss(logits[..., :3], labels[..., :3], 1, 1)
    whole = segmentation_loss(logits, labels, 1, 1, weights)
    cross_entropy_cut = segmentation_loss(logits[..., :3], labels[..., :3], 2, 1) - cut
    # Dice as if the pixels were not there; cross-entropy per pixel of the whole slice, so that few sure pixels weigh little.
    assert torch.allclose(whole, cut - cross_entropy_cut + cross_entropy_cut * 3 / 5, atol=1e-6)
