"""Enlargement to twice the size, and its gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from AIDELib.doubling import Doubling, _ReproducibleDoubling, gathered


def test_gradient_of_three_pixels():
    # Pixels a b c become a, (3a+b)/4, (a+3b)/4, (3b+c)/4, (b+3c)/4, c.
    gradient = torch.tensor([1.0, 0, 0, 0, 0, 0]).view(1, 1, 1, 6)
    assert gathered(gradient, 3).flatten().tolist() == [1.0, 0.0, 0.0]
    gradient = torch.tensor([0, 4.0, 8.0, 0, 0, 100.0]).view(1, 1, 1, 6)
    assert gathered(gradient, 3).flatten().tolist() == [3.0 + 2.0, 1.0 + 6.0, 100.0]


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 6), (7, 3)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_same_as_torch(size, memory_format):
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64).to(memory_format=memory_format)
    ours, theirs = features.clone().requires_grad_(), features.clone().requires_grad_()
    enlarged = _ReproducibleDoubling.apply(ours)
    expected = functional.interpolate(theirs, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarged, expected)
    torch.testing.assert_close(Doubling()(features), expected)
    weights = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    (enlarged * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
