from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from AIDELib.aide_method import AIDE
from AIDELib.batch_statistics import batches_for_statistics, estimating_statistics
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.presets import STANDARD
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.stage import Stage


def slice_set(values_of_cases, size=16):
    """Cases whose slices each have one grey value; the first case is HQA, the others have no label of their own."""
    cases = []
    for position, values in enumerate(values_of_cases):
        quality = LabelQuality.UNLABELLED if position else LabelQuality.HQA
        label = None if position else Path("l")
        case = Case(str(position), (Path("i"),), label, quality, Split.TRAIN)
        images = np.broadcast_to(np.array(values, np.float32).reshape(-1, 1, 1, 1), (len(values), 1, size, size)).copy()
        cases.append(CaseSlices(case, images, np.zeros((len(values), size, size), np.uint8)))
    return SliceSet.build(cases, SliceStorage(torch.device("cpu")), (size, size))


def test_the_statistics_are_the_mean_of_those_of_the_batches_and_all_else_stays():
    layer = nn.BatchNorm2d(1, momentum=0.1)
    network = nn.Sequential(layer, nn.Dropout(0.5)).train()
    nn.init.constant_(layer.weight, 3.0)
    network(torch.randn(4, 1, 2, 2))
    with estimating_statistics(network):
        network(torch.tensor([0.0, 2.0]).view(2, 1, 1, 1))  # mean 1, variance 2 (unbiased)
        network(torch.tensor([4.0, 10.0]).view(2, 1, 1, 1))  # mean 7, variance 18
    assert (layer.running_mean.item(), layer.running_var.item()) == pytest.approx((4.0, 10.0))
    assert (layer.momentum, layer.weight.item()) == (0.1, 3.0)
    assert not any(part.training for part in network.modules())


def test_an_error_leaves_the_network_ready_to_predict():
    network = nn.BatchNorm2d(1)
    with pytest.raises(ValueError, match="4D"), estimating_statistics(network):
        network(torch.zeros(1))
    assert network.momentum == 0.1
    assert not network.training


def test_each_batch_has_slices_from_all_over_the_set(monkeypatch):
    slices = slice_set([range(10), range(10, 20)])
    monkeypatch.setattr("AIDELib.batch_statistics.PIXELS_PER_BATCH", 4 * 16 * 16)
    batches = [batch[:, 0, 0, 0].tolist() for batch in batches_for_statistics(slices, range(20), 2)]
    assert batches == [[0, 5, 10, 15], [1, 6, 11, 16], [2, 7, 12, 17], [3, 8, 13, 18], [4, 9, 14, 19]]
    # A batch of the training size where that is larger; what does not fill one is left out.
    assert [len(batch) for batch in batches_for_statistics(slices, range(20), 8)] == [8, 8]
    assert list(batches_for_statistics(slices, range(3), 4)) == []


def test_too_few_slices_without_label_are_looked_at_with_the_others():
    slices = slice_set([(1.0, 1.0, 1.0), (5.0,)])
    settings = STANDARD.replace(network_width=2, batch_size=4)
    stage = Stage(1, AIDE(settings), 1, slices, slices.pad_labels([np.zeros((n, 16, 16), np.uint8) for n in (3, 1)]), 1)
    stage.learners[0].predictor = nn.BatchNorm2d(1)
    stage.look_at(slices)
    assert stage.learners[0].predictor.running_mean.item() == pytest.approx(2.0)


def test_of_many_slices_a_sample_is_taken(monkeypatch):
    slices = slice_set([range(20)])
    monkeypatch.setattr("AIDELib.batch_statistics.SAMPLED_SLICES", 5)
    assert [batch[:, 0, 0, 0].tolist() for batch in batches_for_statistics(slices, range(20), 5)] == [[0, 4, 8, 12, 16]]


@pytest.mark.parametrize(("plain", "expected_mean"), [(True, 6.0), (False, 0.0)])
def test_networks_look_at_the_cases_without_label(plain, expected_mean):
    slices = slice_set([(-50.0, -50.0), (5.0, 5.0), (7.0, 7.0)])
    settings = STANDARD.replace(network_width=2, batch_size=2, plain_statistics=plain)
    stage = Stage(1, AIDE(settings), 1, slices, slices.pad_labels([np.zeros((2, 16, 16), np.uint8)] * 3), 1)
    for learner in stage.learners:
        learner.predictor = nn.BatchNorm2d(1)
    stage.look_at(slices)
    assert [learner.predictor.running_mean.item() for learner in stage.learners] == pytest.approx([expected_mean] * 2)
