"""Batch normalisation over the samples of all processes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from AIDELib.collectives import sum_of_all


class CommonBatchNorm(nn.SyncBatchNorm):
    """torch's SyncBatchNorm, which computes on GPUs alone, and the same on CPUs.

    Every process has equally many samples. The weights are named as in the layer that it stands for.
    """

    @classmethod
    def like(cls, layer: _BatchNorm) -> CommonBatchNorm:
        """Return a layer with the weights and statistics of another one."""
        common = cls(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
        common.load_state_dict(layer.state_dict())
        return common.train(layer.training)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        if input.device.type != "cpu" or not self.training:
            return super().forward(input)
        axes = [axis for axis in range(input.dim()) if axis != 1]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        count = values.numel() // values.shape[1] * dist.get_world_size()
        mean = sum_of_all(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = sum_of_all(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        normalized = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normalized = normalized * self.weight.view(shape) + self.bias.view(shape)
        return normalized.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def with_common_batch_norm(network: nn.Module) -> nn.Module:
    """Return a network whose batch normalisation takes the samples of all processes; the network itself is changed."""
    if isinstance(network, _BatchNorm):
        return CommonBatchNorm.like(network)
    for name, part in network.named_children():
        setattr(network, name, with_common_batch_norm(part))
    return network
