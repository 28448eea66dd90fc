"""Local label filtering: which samples of a batch have suspect labels (paper, "Local label filtering")."""

from __future__ import annotations

import torch
from torch import Tensor

from AIDELib.transfer import on_device


def suspected(counterpart_ranking: Tensor, questionable: Tensor, clean_share: float) -> Tensor:
    """Return the samples whose labels a network should doubt: those that its counterpart finds hard to learn.

    Args:
        counterpart_ranking: (B,) per-sample losses of the other network, or another measure of how hard it finds them.
        questionable: (B,) bool on the CPU, False for samples whose labels are beyond doubt.
        clean_share: share of the questionable samples, smallest first, that count as clean.

    Returns:
        (S,) indices of the suspected samples, S = number of questionable samples minus the clean ones (rounded).
    """
    candidates = questionable.nonzero().squeeze(1)
    clean_count = round(clean_share * len(candidates))
    candidates = on_device(candidates, counterpart_ranking.device)
    order = torch.argsort(counterpart_ranking.detach()[candidates], stable=True)
    return candidates[order[clean_count:]]


def consistency_ramp(epoch: int, warm_up_epochs: int) -> float:
    """Return w, the share of the consistency loss in a suspected sample's loss: min((epoch / warm-up)^2, 1).

    Args:
        epoch: counted from 0.
        warm_up_epochs: epoch from which w is 1.
    """
    return min((epoch / warm_up_epochs) ** 2, 1.0)
