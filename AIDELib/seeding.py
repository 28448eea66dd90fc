"""Random numbers that depend on the run's seed and on what they are for, and on nothing that happened before."""

from __future__ import annotations

import numpy as np
import torch


def derived_seed(seed: int, *purpose: int) -> int:
    """Return a seed for one purpose (stage, epoch, network …) of a run.

    A resumed run draws the same numbers in an epoch as an unbroken one, because no generator lives longer than that.
    """
    return int(np.random.SeedSequence([seed, *purpose]).generate_state(1, np.uint64)[0] >> 1)


def derived_generator(seed: int, *purpose: int) -> torch.Generator:
    """Return a CPU generator for one purpose of a run."""
    return torch.Generator().manual_seed(derived_seed(seed, *purpose))
