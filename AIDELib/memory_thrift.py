"""Training on with less memory of the device, and with the same results.

The batch of an optimization step cannot be cut in two and its gradients added up: batch normalisation takes mean and
variance over the whole batch, and the samples of a batch are ranked among themselves. What can be cut are the passes
without gradient, in which every sample stands for itself (pseudo-labels, corrections, validation); and what the step
keeps for its gradient can wait in the computer's main memory. Both change no result but by the rounding of algorithms that
the device's libraries choose by the size of their input.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

HIGHEST_LEVEL = 2
_PARTS = 4


class MemoryThrift:
    """How the memory of the device is spared: not at all at first, more with each level.

    Attributes:
        level: 0 spares nothing; from 1 on, passes without gradient run in parts and what gradients need waits in main
            memory; at 2 these passes take one slice at a time.
    """

    def __init__(self) -> None:
        self.level = 0

    def increase(self) -> bool:
        """Spare more; return whether that is possible."""
        if self.level == HIGHEST_LEVEL:
            return False
        self.level += 1
        return True

    def parts(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return images (B, M, H, W) in as many parts as a pass without gradient should take them in."""
        if self.level == 0:
            return (images,)
        size = 1 if self.level == HIGHEST_LEVEL else -(-len(images) // _PARTS)
        return images.split(max(1, size))

    def keeping(self) -> AbstractContextManager[object]:
        """Return the context in which a pass with gradient is to run."""
        return nullcontext() if self.level == 0 else torch.autograd.graph.save_on_cpu()


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the memory of the device or of the computer is used up."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # torch has no class of its own for the computer's memory, nor for that which the device's libraries take.
    return isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("DefaultCPUAllocator", "not enough memory", "out of memory", "ALLOC_FAILED")
    )
