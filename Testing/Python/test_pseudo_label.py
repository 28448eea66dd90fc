import torch

from AIDELib.pseudo_label import relabelled


def test_suspects_get_their_confident_pseudo_labels():
    labels = torch.tensor([[[1, 1, 0]], [[0, 1, 1]]], dtype=torch.uint8)
    # One suspect, the second sample: sure of class 1, unsure, sure but unseen by any augmentation.
    pseudo_labels = torch.tensor([[[[0.05, 0.4, 0.99]], [[0.95, 0.6, 0.01]]]])
    weights = torch.tensor([[[0.8, 0.1, 0.0]]])
    targets, pixel_weights = relabelled(labels, torch.tensor([1]), pseudo_labels, weights, 0.9, 0.5)
    assert targets.tolist() == [[[1, 1, 0]], [[1, 1, 0]]]
    assert targets.dtype == torch.uint8
    assert pixel_weights.tolist() == [[[1, 1, 1]], [[0.5, 0, 0]]]
    assert labels.tolist() == [[[1, 1, 0]], [[0, 1, 1]]]
