import numpy as np
import pytest

from AIDELib.label_correction import agreement, cases_to_correct, correction_is_due, with_consensus


def test_agreement_is_the_mean_dice_of_the_structures():
    prediction = np.array([[1, 1, 2, 0]], np.uint8)
    labels = np.array([[1, 0, 2, 2]], np.uint8)
    # Structure 1: 2 * 1 / 3; structure 2: 2 * 1 / 3; structure 3 absent from both: 1.
    assert agreement(prediction, labels, 3) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_correction_runs_every_epoch_of_the_warm_up_and_every_tenth_after_it():
    due = [epoch for epoch in range(1, 42) if correction_is_due(epoch, 1, 20, 10)]
    assert due == [*range(1, 21), 30, 40]
    assert [epoch for epoch in range(1, 12) if correction_is_due(epoch, 4, 6, 5)] == [4, 5, 6, 10]


def test_the_worst_quarter_of_the_open_cases_is_corrected():
    agreements = [0.9, 0.2, 0.5, 0.4, 0.1, 0.8]
    protected = [False, False, False, False, True, True]
    assert cases_to_correct(agreements, protected, 0.25) == [1]
    assert cases_to_correct(agreements, protected, 0.5) == [1, 3]
    assert cases_to_correct(agreements, [True] * 6, 0.5) == []
    # In floating point 0.07 * 100 is a little more than 7.
    assert cases_to_correct(range(100), [False] * 100, 0.07) == list(range(7))


def test_consensus_asks_for_more_agreement_between_the_networks_than_with_the_label():
    assert with_consensus([2, 0, 1], [0.9, 0.5, 0.3], [0.8, 0.6, 0.3], [0.0] * 3) == [0]


def test_a_label_is_an_outlier_beyond_its_margin():
    assert with_consensus([2, 0, 1], [0.9, 0.9, 0.9], [0.75, 0.75, 0.82], [0.1, 0.2, 0.1]) == [0]
    assert with_consensus([0, 1, 2], [0.9, 0.9, 0.9], [0.85, 0.82, 0.75], [0.0, 0.1, 0.1]) == [0, 2]
