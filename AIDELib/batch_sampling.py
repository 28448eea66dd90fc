"""Which slices make up each batch of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch


def epoch_batches(
    trusted: Sequence[int],
    others: Sequence[int],
    batch_size: int,
    trusted_share: float,
    iterations: int,
    generator: torch.Generator,
) -> Iterator[list[int]]:
    """Yield the slice indices of each batch of an epoch.

    Each pool is gone through in random order and then anew, so that no slice is seen twice before all are seen once.

    Args:
        trusted: slices of HQA cases.
        others: all other slices.
        batch_size: slices per batch; smaller sets repeat slices within a batch.
        trusted_share: least share of each batch from `trusted`, which take more of it where they are more of the slices;
            0 draws from both pools as one.
        iterations: number of batches; 0 means that every slice of the one pool, or of the larger of both, comes once.
    """
    if trusted_share == 0 or not trusted or not others:
        pools = [(_endless(sorted([*trusted, *others]), generator), batch_size)]
        length = (len(trusted) + len(others)) // batch_size
    else:
        share = max(trusted_share, len(trusted) / (len(trusted) + len(others)))
        from_trusted = min(max(1, round(share * batch_size)), batch_size - 1)
        counts = (from_trusted, batch_size - from_trusted)
        pools = [(_endless(pool, generator), count) for pool, count in zip((trusted, others), counts, strict=True)]
        length = max(len(pool) // count for pool, count in zip((trusted, others), counts, strict=True))
    for _ in range(iterations or max(1, length)):
        yield [next(pool) for pool, count in pools for _ in range(count)]


def _endless(pool: Sequence[int], generator: torch.Generator) -> Iterator[int]:
    while True:
        for position in torch.randperm(len(pool), generator=generator).tolist():
            yield pool[position]
