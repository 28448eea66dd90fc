import numpy as np
import pytest

from Testing.Benchmarks.label_corruption import Corruption, Severity, corrupt

BLOCK = np.zeros((1, 7, 7), np.uint8)
BLOCK[0, 2:5, 2:5] = 1


def chance(seed=0):
    return np.random.default_rng(seed)


def test_dilation_adds_the_pixels_within_reach():
    # The block's radius is sqrt(9 / pi) = 1.7, of which a quarter is less than a pixel: one pixel it is.
    expected = BLOCK[0].copy()
    expected[1, 2:5] = expected[5, 2:5] = expected[2:5, 1] = expected[2:5, 5] = 1
    assert corrupt(BLOCK, Corruption.DILATION, Severity.MODERATE, chance())[0].tolist() == expected.tolist()


def test_dilated_structures_share_the_gap_between_them():
    row = np.array([[[1, 1, 1, 0, 0, 2, 2, 2]]], np.uint8)
    assert corrupt(row, Corruption.DILATION, Severity.MILD, chance()).tolist() == [[[1, 1, 1, 1, 2, 2, 2, 2]]]


def test_erosion_takes_the_pixels_at_the_edge():
    expected = np.zeros((7, 7), np.uint8)
    expected[3, 3] = 1
    assert corrupt(BLOCK, Corruption.EROSION, Severity.MODERATE, chance())[0].tolist() == expected.tolist()


def test_erosion_at_the_border_of_the_image_counts_the_outside_as_background():
    full = np.ones((1, 3, 3), np.uint8)
    assert corrupt(full, Corruption.EROSION, Severity.MILD, chance()).tolist() == [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]


@pytest.mark.parametrize("severity", Severity)
def test_shift_moves_all_slices_alike(severity):
    labels = np.zeros((3, 32, 32), np.uint8)
    labels[:, 10:22, 10:22] = 2
    shifted = corrupt(labels, Corruption.SHIFT, severity, chance(1))
    assert set(np.unique(shifted)) == {0, 2}
    assert all((plane == shifted[0]).all() for plane in shifted)
    assert not (shifted == labels).all()


def test_missing_slices_are_empty_and_the_others_as_they_were():
    labels = np.zeros((12, 8, 8), np.uint8)
    labels[1:11, 2:6, 2:6] = 1
    corrupted = corrupt(labels, Corruption.MISSING_SLICES, Severity.MODERATE, chance())
    emptied = [z for z in range(1, 11) if not corrupted[z].any()]
    # 1.5 times a quarter of the ten slices with a label.
    assert len(emptied) == 4
    assert all((corrupted[z] == labels[z]).all() for z in range(12) if z not in emptied)


@pytest.mark.parametrize("corruption", Corruption)
def test_worse_is_farther_from_the_truth(corruption):
    labels = np.zeros((8, 48, 48), np.uint8)
    z, y, x = np.indices(labels.shape)
    labels[(y - 24) ** 2 + (x - 24) ** 2 + (3 * (z - 3.5)) ** 2 < 150] = 1

    def error(severity):
        corrupted = [corrupt(labels, corruption, severity, chance(seed)) for seed in range(5)]
        return np.mean([(own != labels).sum() for own in corrupted])

    mild, moderate, severe = (error(severity) for severity in Severity)
    assert 0 < mild < moderate < severe


@pytest.mark.parametrize("corruption", Corruption)
def test_an_empty_label_stays_empty_and_the_original_is_not_touched(corruption):
    empty = np.zeros((2, 5, 5), np.uint8)
    assert not corrupt(empty, corruption, Severity.SEVERE, chance()).any()
    before = BLOCK.copy()
    corrupt(BLOCK, corruption, Severity.SEVERE, chance())
    assert (before == BLOCK).all()
