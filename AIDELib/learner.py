"""A network with its optimizer and the running mean of its weights."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor, nn
from torch.autograd.profiler import record_function

from AIDELib import timed_parts
from AIDELib.batch_statistics import estimating_statistics
from AIDELib.device import precision_on
from AIDELib.graphed_pass import GraphedPrediction, GraphedTraining
from AIDELib.memory_thrift import MemoryThrift
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.settings import Precision, Settings


class Learner:
    """One of the networks that train in parallel.

    Attributes:
        network: learns by gradient.
        predictor: makes pseudo-labels, corrections and the final predictions: the exponential running mean of the
            network's weights (Tarvainen and Valpola, NeurIPS 2017), or the network itself without averaging.
        optimizer: Adam with amsgrad.
        steps: optimization steps made so far.
        offsets: (C,) added to the logits of each prediction (see `volume_calibration`).
        replays: whether a GPU's passes are recorded and replayed (see `graphed_pass`).
    """

    def __init__(
        self,
        network: nn.Module,
        settings: Settings,
        device: torch.device,
        class_count: int,
        thrift: MemoryThrift | None = None,
        group: ProcessGroup = ALONE,
    ) -> None:
        network = group.with_common_statistics(network).to(device)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.predictor = copy.deepcopy(self.network) if settings.averaging else self.network
        self.predictor.requires_grad_(self.predictor is self.network)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=settings.learning_rate, amsgrad=True, fused=device.type != "mps"
        )
        self.steps = 0
        self.offsets = torch.zeros(class_count, device=device)
        # Several processes exchange statistics within a pass, and gradients kept in main memory are no part of a recording.
        self.replays = device.type == "cuda" and group.size == 1
        self._graphed_training = GraphedTraining(self.network)
        self._graphed_prediction = GraphedPrediction(self.predictor)
        self._averaging = settings.averaging
        self._precision = precision_on(device, settings.precision)
        self._device = device
        self._thrift = thrift or MemoryThrift()
        self._group = group

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with weights of an earlier training instead of random ones."""
        self.network.load_state_dict(weights)
        self.predictor.load_state_dict(weights)

    def forward(self, images: Tensor) -> Tensor:
        """Return the training-mode logits (B, C, H, W), float32, of images (B, M, H, W)."""
        self.network.train()
        with record_function(timed_parts.FORWARD), self._arithmetic(), self._thrift.keeping():
            compute = self._graphed_training if self._is_replaying else self.network
            logits = compute(self._group.share(images))
        return self._group.gather(logits.float(), len(images))

    def predict(self, images: Tensor) -> Tensor:
        """Return softmax probabilities (B, C, H, W), float32, in evaluation mode and without gradient."""
        self.predictor.eval()
        with record_function(timed_parts.PREDICTION), torch.no_grad(), self._arithmetic():
            compute = self._graphed_prediction if self._is_replaying else self.predictor
            parts = [
                (compute(part).float() + self.offsets.view(1, -1, 1, 1)).softmax(dim=1)
                for part in self._thrift.parts(self._group.share(images))
            ]
        return self._group.gather(parts[0] if len(parts) == 1 else torch.cat(parts), len(images))

    def estimate_statistics(self, batches: Iterable[Tensor]) -> None:
        """Give the predictor's batch normalization the statistics of images (B, M, H, W); without any it keeps its own."""
        remaining = iter(batches)
        first = next(remaining, None)
        if first is None:
            return
        with (
            record_function(timed_parts.PREDICTION),
            torch.no_grad(),
            self._arithmetic(),
            estimating_statistics(self.predictor),
        ):
            for batch in chain([first], remaining):
                self.predictor(self._group.share(batch).contiguous(memory_format=torch.channels_last))

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """Make one optimization step on a scalar loss and bring the running mean up to date."""
        with record_function(timed_parts.BACKWARD):
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._group.add_up_gradients(self.network.parameters())
        with record_function(timed_parts.UPDATE):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
            self.steps += 1
            if self.predictor is not self.network:
                self._update_average()

    @property
    def _is_replaying(self) -> bool:
        return self.replays and self._thrift.level == 0

    @torch.no_grad()
    def _update_average(self) -> None:
        # A young mean forgets faster, so that the random initial weights do not linger in it.
        decay = min(self._averaging, (1 + self.steps) / (10 + self.steps))
        own, mean = self.network.state_dict(), self.predictor.state_dict()
        floating = [name for name, tensor in own.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([mean[name] for name in floating], [own[name] for name in floating], 1 - decay)
        for name in own.keys() - floating:
            mean[name].copy_(own[name])

    @contextmanager
    def _arithmetic(self) -> Iterator[None]:
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._precision is Precision.BFLOAT16):
            yield
