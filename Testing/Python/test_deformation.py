import math

import pytest
import torch

from AIDELib.deformation import Deformation
from AIDELib.deformation_range import DeformationRange

CPU = torch.device("cpu")


def deformation(size, rotation=0.0, scaling=0.0, stretch=0.0, warp=0.0, flip=False, seed=0):
    extent = DeformationRange(rotation, scaling, stretch, warp, flip)
    return Deformation.draw(size, extent, torch.Generator().manual_seed(seed), CPU)


def offsets(drawn):
    """Return the positions of the grid's pixels in the original slice, in pixels about its centre."""
    _, height, width, _ = drawn.grid.shape
    return drawn.grid * torch.tensor([width, height]) / 2


def test_an_empty_range_leaves_slices_as_they_are():
    image = torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(1))
    assert DeformationRange(0, 0, 0, 0, flip=False).is_empty
    assert torch.allclose(deformation((2, 5, 7)).apply(image), image, atol=1e-5)


def test_a_flip_mirrors_left_and_right():
    labels = torch.tensor([[[1, 2, 3]]], dtype=torch.uint8).expand(20, 1, 3)
    flipped = deformation((20, 1, 3), flip=True).apply_to_labels(labels)
    assert sorted({tuple(sample[0].tolist()) for sample in flipped}) == [(1, 2, 3), (3, 2, 1)]


def test_a_rotation_of_a_slice_that_is_not_square_keeps_lengths():
    moved = offsets(deformation((50, 10, 30), rotation=60.0))
    # Neighbouring pixels stay one pixel apart, whatever the direction.
    assert torch.allclose((moved[:, :, 1:] - moved[:, :, :-1]).norm(dim=-1), torch.ones(50, 10, 29), atol=1e-4)
    along_x = moved[:, 5, 16] - moved[:, 5, 15]
    angles = torch.rad2deg(torch.atan2(along_x[:, 1], along_x[:, 0]))
    assert 50 < angles.max() <= 60
    assert -60 <= angles.min() < -50


def test_scaling_changes_both_axes_and_stretching_each_for_itself():
    scaled = offsets(deformation((200, 8, 8), scaling=0.3))
    factors_x, factors_y = (scaled[:, 0, 1] - scaled[:, 0, 0])[:, 0], (scaled[:, 1, 0] - scaled[:, 0, 0])[:, 1]
    assert torch.allclose(factors_x, factors_y, atol=1e-5)
    assert 1 / 1.3 <= factors_x.min() < 0.8
    assert 1.4 < factors_x.max() <= 1 / 0.7 + 1e-5
    stretched = offsets(deformation((200, 8, 8), stretch=0.2))
    factors_x = (stretched[:, 0, 1] - stretched[:, 0, 0])[:, 0]
    factors_y = (stretched[:, 1, 0] - stretched[:, 0, 0])[:, 1]
    for factors in (factors_x, factors_y):
        assert math.exp(-0.2) - 1e-5 <= factors.min() < 0.85
        assert 1.18 < factors.max() <= math.exp(0.2) + 1e-5
    assert abs(torch.corrcoef(torch.stack([factors_x, factors_y]))[0, 1]) < 0.2


@pytest.mark.parametrize("size", [(400, 32, 64), (400, 64, 32)])
def test_a_warp_moves_pixels_smoothly_and_as_far_in_x_as_in_y(size):
    still, warped = offsets(deformation(size)), offsets(deformation(size, warp=0.05))
    displacements = warped - still
    # At a corner lies a control point: 5 % of 32 pixels.
    assert displacements[:, 0, 0].std(dim=0).tolist() == pytest.approx([1.6, 1.6], rel=0.1)
    assert (displacements[:, 1:] - displacements[:, :-1]).abs().max() < 1.2


def test_labels_go_with_their_image_and_keep_their_values():
    labels = torch.zeros(6, 32, 48, dtype=torch.uint8)
    labels[:, 10:20, 10:30] = 7
    drawn = deformation((6, 32, 48), rotation=30.0, scaling=0.2, stretch=0.2, warp=0.05, flip=True)
    moved = drawn.apply_to_labels(labels)
    assert moved.dtype == torch.uint8
    assert moved.unique().tolist() == [0, 7]
    image = drawn.apply(labels.unsqueeze(1).float()).squeeze(1)
    assert ((image > 3.5) == (moved == 7)).float().mean() > 0.98
    assert not torch.equal(moved, labels)


def test_all_devices_draw_the_same_because_the_generator_is_given():
    extent = {"rotation": 20.0, "scaling": 0.2, "stretch": 0.1, "warp": 0.05, "flip": True}
    assert torch.equal(deformation((3, 16, 16), **extent).grid, deformation((3, 16, 16), **extent).grid)
    assert not torch.equal(deformation((3, 16, 16), **extent).grid, deformation((3, 16, 16), **extent, seed=1).grid)
