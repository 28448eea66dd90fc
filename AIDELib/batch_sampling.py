"""Which slices make up each batch of an epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

# A share that is a whole number of slices but for its last bits is not rounded up.
ROUNDING = 1e-9


def epoch_batches(
    trusted: Sequence[int],
    others: Sequence[int],
    batch_size: int,
    trusted_power: float,
    iterations: int,
    generator: torch.Generator,
) -> Iterator[list[int]]:
    """Yield the slice indices of each batch of an epoch.

    Each pool is gone through in random order and then anew, so that no slice is seen twice before all are seen once.

    Args:
        trusted: slices of HQA cases.
        others: all other slices.
        batch_size: slices per batch; smaller sets repeat slices within a batch.
        trusted_power: p, 0 to 1. The share of each batch from `trusted` is their share of all slices to this power,
            rounded up: with 1 both pools are one; with 0.5, a 25th of the slices are a fifth of each batch, and a quarter
            are half.
        iterations: number of batches; 0 means as many as there are whole batches in the one pool, or in the one of both that
            lasts longer.
    """
    if trusted_power == 1 or not trusted or not others:
        pools = [(_endless(sorted([*trusted, *others]), generator), batch_size)]
        length = (len(trusted) + len(others)) // batch_size
    else:
        share = (len(trusted) / (len(trusted) + len(others))) ** trusted_power
        # Rounded up: a single labelled case among many is seen in every batch more than once.
        from_trusted = min(math.ceil(share * batch_size - ROUNDING), batch_size - 1)
        counts = (from_trusted, batch_size - from_trusted)
        pools = [(_endless(pool, generator), count) for pool, count in zip((trusted, others), counts, strict=True)]
        length = max(len(pool) // count for pool, count in zip((trusted, others), counts, strict=True))
    for _ in range(iterations or max(1, length)):
        yield [next(pool) for pool, count in pools for _ in range(count)]


def _endless(pool: Sequence[int], generator: torch.Generator) -> Iterator[int]:
    while True:
        for position in torch.randperm(len(pool), generator=generator).tolist():
            yield pool[position]
