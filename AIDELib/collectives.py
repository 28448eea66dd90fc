"""Exchange between processes that gradients pass through (torch.distributed must be initialized)."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        total = own.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        # What depends on the sum depends on it in all processes.
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        # Every process computes the same from the joined tensor: adding up would count it as often as there are processes.
        return gradients[0].chunk(dist.get_world_size())[dist.get_rank()]


def sum_of_all(own: Tensor) -> Tensor:
    """Return the sum of the tensors of all processes."""
    return _Sum.apply(own)


def joined(own: Tensor) -> Tensor:
    """Return the equally large tensors (B, …) of all processes one after another."""
    return _Joined.apply(own.contiguous())
