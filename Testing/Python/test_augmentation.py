import math

import pytest
import torch

from AIDELib.augmentation import SpatialAugmentation


def smooth_image(height, width):
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.exp(-4 * ((x - 0.2) ** 2 + (y + 0.1) ** 2))[None, None]


def rotation(degrees):
    angle = math.radians(degrees)
    return SpatialAugmentation(
        torch.tensor([[[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]])
    )


def test_quarter_turn_moves_each_pixel_where_it_belongs():
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert torch.allclose(rotation(90).apply(image), torch.tensor([[[[2.0, 4.0], [1.0, 3.0]]]]), atol=1e-6)


def test_flip_of_x_mirrors_left_and_right():
    image = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    flipped = SpatialAugmentation(torch.tensor([[[-1.0, 0.0], [0.0, 1.0]]])).apply(image)
    assert torch.allclose(flipped, torch.tensor([[[[4.0, 3.0, 2.0, 1.0]]]]), atol=1e-6)


def test_rotation_of_a_slice_that_is_not_square_keeps_shapes():
    image = torch.zeros(1, 1, 33, 65)
    image[0, 0, 16, 24:41] = 1  # a bar of 17 pixels along x
    turned = rotation(90).apply(image)
    assert turned[0, 0, 8:25, 32].min() > 0.99
    assert turned.sum() == pytest.approx(17, abs=0.1)


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_inverse_returns_a_smooth_image_to_itself(size):
    generator = torch.Generator().manual_seed(1)
    augmentation = SpatialAugmentation.draw(16, 60.0, True, generator)
    image = smooth_image(*size).expand(16, 1, *size)
    there_and_back = augmentation.apply_inverse(augmentation.apply(image))
    coverage = augmentation.apply_inverse(augmentation.apply(torch.ones_like(image)))
    inside = coverage > 0.999
    assert inside.float().mean() > 0.6
    assert (there_and_back - image)[inside].abs().max() < 0.01


def test_draws_stay_within_their_ranges():
    matrices = SpatialAugmentation.draw(500, 60.0, True, torch.Generator().manual_seed(0)).matrices
    determinants = torch.linalg.det(matrices)
    assert torch.allclose(determinants.abs(), torch.ones(500), atol=1e-5)
    assert 0.4 < (determinants < 0).float().mean() < 0.6
    angles = torch.rad2deg(torch.atan2(matrices[:, 0, 1].neg(), matrices[:, 1, 1]))
    assert 55 < angles.max() <= 60
    assert -60 <= angles.min() < -55
