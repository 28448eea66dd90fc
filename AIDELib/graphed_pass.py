"""The passes of a network as CUDA graphs: recorded once for images of a size, then started with one call.

A small network's layers take a GPU less time than the computer needs to start them one by one. Operations and their order
stay the same, so that the results do, too. The weights are to be changed in place only.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from AIDELib.memory_thrift import is_out_of_memory

# A size that comes but once is not worth a recording.
USES_BEFORE = 1
# Each recording keeps memory of its own.
MOST_SIZES = 4
# Before a recording the libraries choose their algorithms and make room for them.
TRIAL_PASSES = 3

_log = logging.getLogger(__name__)


class GraphedTraining:
    """The passes with gradient of a network.

    Args:
        network: on a GPU, in training mode whenever this is called.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._recordings = _Recordings(lambda images: _TrainingRecording(network, images))

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits (B, C, H, W) of images (B, M, H, W). Their gradient is to be taken before the next call."""
        recording = self._recordings.of(images)
        if recording is None:
            return self._network(images)
        return _Replay.apply(recording, images, *recording.parameters)


class GraphedPrediction:
    """The passes without gradient of a network.

    Args:
        network: on a GPU, in evaluation mode whenever this is called.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        pool = torch.cuda.graph_pool_handle() if torch.cuda.is_available() else None
        self._recordings = _Recordings(lambda images: _PredictionRecording(network, images, pool))

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits (B, C, H, W) of images (B, M, H, W). They are to be used before the next call."""
        recording = self._recordings.of(images)
        return self._network(images) if recording is None else recording.replay(images)


class _Recordings:
    """The recordings by the size of the images."""

    def __init__(self, record: Callable[[Tensor], Any]) -> None:
        self._record = record
        self._recordings: dict[torch.Size, Any] = {}
        self._uses: Counter[torch.Size] = Counter()
        self._is_possible = True

    def of(self, images: Tensor) -> Any:
        """Return the recording for images of this size; None where none is worth it yet, there are too many, or the network
        does what cannot be recorded, such as asking the GPU for a number."""
        size = images.shape
        if size not in self._recordings and self._is_possible:
            self._uses[size] += 1
            if self._uses[size] > USES_BEFORE and len(self._recordings) < MOST_SIZES:
                self._try(images)
        return self._recordings.get(size)

    def _try(self, images: Tensor) -> None:
        stream = torch.cuda.current_stream()
        try:
            with _uncached_weights():
                self._recordings[images.shape] = self._record(images)
        except RuntimeError as error:
            # A recording that fails does not give the stream back.
            torch.cuda.set_stream(stream)
            torch.cuda.synchronize()
            if is_out_of_memory(error):
                raise
            _log.info("The network's passes cannot be recorded: %s", error)
            self._is_possible = False


class _TrainingRecording:
    """A forward and a backward pass."""

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._images = torch.zeros_like(images)
        # The passes that prepare a recording are not part of the training and must leave no trace in it.
        before = [buffer.clone() for buffer in network.buffers()]
        try:
            self._record(network)
        finally:
            with torch.no_grad():
                for buffer, earlier in zip(network.buffers(), before, strict=True):
                    buffer.copy_(earlier)

    def _record(self, network: nn.Module) -> None:
        with _aside():
            for _ in range(TRIAL_PASSES):
                leaves = _leaves(network)
                logits = functional_call(network, leaves, (self._images,))
                torch.autograd.grad(logits, list(leaves.values()), torch.zeros_like(logits))
                del logits, leaves
        self._forward, self._backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        leaves = _leaves(network)
        with torch.cuda.graph(self._forward):
            logits = functional_call(network, leaves, (self._images,))
        self._gradient = torch.zeros_like(logits)
        with torch.cuda.graph(self._backward, pool=self._forward.pool()):
            gradients = torch.autograd.grad(logits, list(leaves.values()), self._gradient)
        # Detached: what leads from the recorded pass back to the weights is needed no more.
        self._logits = logits.detach()
        self._gradients = [gradient.detach() for gradient in gradients]

    def replay(self, images: Tensor) -> Tensor:
        """Return the logits of images."""
        self._images.copy_(images)
        self._forward.replay()
        return self._logits.detach()

    def replay_backward(self, gradient: Tensor) -> list[Tensor]:
        """Return the gradients of the parameters, given that of the logits."""
        self._gradient.copy_(gradient)
        self._backward.replay()
        return [gradient.detach() for gradient in self._gradients]


class _PredictionRecording:
    """A forward pass; the recordings that share a pool of memory are never at work at the same time."""

    def __init__(self, network: nn.Module, images: Tensor, pool: Any) -> None:
        self._images = torch.zeros_like(images)
        with _aside():
            for _ in range(TRIAL_PASSES):
                network(self._images)
        self._forward = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._forward, pool=pool):
            self._logits = network(self._images)

    def replay(self, images: Tensor) -> Tensor:
        """Return the logits of images."""
        self._images.copy_(images)
        self._forward.replay()
        return self._logits


class _Replay(torch.autograd.Function):
    """A recorded pass as an operation on the images and the parameters."""

    @staticmethod
    def forward(ctx: Any, recording: _TrainingRecording, images: Tensor, *parameters: Tensor) -> Tensor:
        ctx.recording = recording
        return recording.replay(images)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.recording.replay_backward(gradient))


def _leaves(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's parameters, in the same memory, as tensors that no other pass is connected with: torch would wait
    for the stream of the other pass, which a recording cannot."""
    return {
        name: parameter.detach().requires_grad_()
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }


@contextmanager
def _aside() -> Iterator[None]:
    """Compute on another stream than the current one, which waits for it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        yield
    torch.cuda.current_stream().wait_stream(stream)


@contextmanager
def _uncached_weights() -> Iterator[None]:
    """Let autocast make the weights in half precision anew in each pass instead of keeping those of the recording."""
    caching = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(caching)
