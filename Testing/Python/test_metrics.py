import math
import warnings

import numpy as np
import pytest

from AIDELib.metrics import measure
from AIDELib.postprocessing import keep_largest_components
from AIDELib.qubiq_score import qubiq_score


def mask(text):
    return np.array([[character == "#" for character in line] for line in text.split()])


def test_metrics_of_two_squares():
    prediction, reference = mask("##.. ##.. ...."), mask(".##. .##. ....")
    metrics = measure(prediction, reference, (2.0, 3.0))
    assert metrics.dsc == pytest.approx(2 * 2 / 8)
    assert metrics.ravd == 0
    # Of each square two pixels lie on the other, two are 3 mm away.
    assert metrics.assd == pytest.approx(1.5)
    assert metrics.mssd == pytest.approx(3.0)


def test_a_volume_of_one_slice_is_measured_as_the_2d_image_that_it_is():
    prediction, reference = np.zeros((2, 60, 70), bool)
    prediction[5:55, 5:55] = reference[5:55, 15:65] = True
    # Of each outline of 196 pixels, 80 lie on the other one, 80 are 10 px away, and 4 each are 1 to 9 px away.
    flat = measure(prediction, reference, (1.0, 1.0))
    assert flat.mssd == 10
    assert flat.assd == pytest.approx((80 * 10 + 4 * 45) / 196)
    for axis in range(3):
        thin = measure(
            np.expand_dims(prediction, axis), np.expand_dims(reference, axis), np.insert([1.0, 1.0], axis, 5.0)
        )
        assert thin == flat


def test_a_single_voxel_lies_on_itself():
    metrics = measure(np.ones((1, 1, 1), bool), np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))
    assert (metrics.dsc, metrics.assd, metrics.mssd) == (1.0, 0.0, 0.0)


def test_volume_difference_is_relative_to_the_reference():
    assert measure(mask("###."), mask("##.."), (1.0, 1.0)).ravd == pytest.approx(0.5)
    assert measure(mask("#..."), mask("##.."), (1.0, 1.0)).ravd == pytest.approx(0.5)


def test_empty_masks():
    empty, full = mask("...."), mask("##..")
    both = measure(empty, empty, (1.0, 1.0))
    assert (both.dsc, both.ravd, both.assd, both.mssd) == (1.0, 0.0, 0.0, 0.0)
    missed = measure(empty, full, (1.0, 1.0))
    assert (missed.dsc, missed.ravd) == (0.0, 1.0)
    assert math.isnan(missed.assd)
    assert math.isnan(missed.mssd)
    invented = measure(full, empty, (1.0, 1.0))
    assert invented.dsc == 0
    assert math.isnan(invented.ravd)


@pytest.mark.parametrize("seed", range(12))
def test_dsc_assd_and_mssd_agree_with_monai(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monai_metrics = pytest.importorskip("monai.metrics")
    import torch

    random = np.random.default_rng(seed)
    shape = tuple(random.integers(3, 12, size=3 if seed % 3 else 2))
    spacing = tuple(float(value) for value in random.uniform(0.4, 4, len(shape)))
    prediction, reference = (random.random(shape) < random.uniform(0.05, 0.95) for _ in range(2))
    if seed == 5:
        reference = np.zeros(shape, bool)
        reference[tuple(size // 2 for size in shape)] = True
    if seed == 7:
        prediction = np.ones(shape, bool)
    ours = measure(prediction, reference, spacing)
    one, other = (torch.from_numpy(array)[None, None].float() for array in (prediction, reference))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dsc = monai_metrics.compute_dice(one, other)
        # MONAI's symmetric average is, like the paper's, over the surface voxels of both.
        assd = monai_metrics.compute_average_surface_distance(one, other, True, symmetric=True, spacing=list(spacing))
        mssd = monai_metrics.compute_hausdorff_distance(one, other, True, spacing=list(spacing))
    assert ours.dsc == pytest.approx(float(dsc), rel=1e-5)
    assert ours.assd == pytest.approx(float(assd), rel=1e-5)
    assert ours.mssd == pytest.approx(float(mssd), rel=1e-5)


def test_qubiq_score_of_the_raters_own_mean_is_one():
    raters = [mask("##.."), mask("#..."), mask("###.")]
    mean = np.mean([rater.astype(float) for rater in raters], axis=0)
    assert qubiq_score(mean, raters) == pytest.approx(1.0)


def test_qubiq_score_written_out():
    # Prediction 1, 0.35, 0; raters' mean 1, 0.5, 0. Thresholds 0.1 to 0.3: both have two pixels; 0.4 and 0.5: the raters
    # two, the prediction one (2/3); 0.6 to 0.9: both one.
    raters = [np.array([True, True, False]), np.array([True, False, False])]
    assert qubiq_score(np.array([1.0, 0.35, 0.0]), raters) == pytest.approx((3 + 2 * 2 / 3 + 4) / 9)


def test_largest_component_of_each_structure_is_kept():
    labels = np.array([[1, 1, 0, 1], [0, 0, 2, 0], [2, 2, 0, 2]], np.uint8)
    assert keep_largest_components(labels, 2).tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [2, 2, 0, 0]]
    assert not keep_largest_components(np.zeros((2, 2, 2), np.uint8), 3).any()


def test_components_joined_by_an_edge_alone_are_apart():
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[0, 0, 0] = labels[0, 1, 1] = labels[1, 1, 1] = 1
    assert keep_largest_components(labels, 1)[0, 0, 0] == 0
    assert keep_largest_components(labels, 1).sum() == 2
