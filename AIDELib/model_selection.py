"""Which epoch's networks are kept. Test cases are never looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class ModelSelection:
    """The best epoch so far.

    With validation cases the score is their mean DSC; without, it is the authors' rule: the mean agreement of the
    training cases' predictions with their current labels. Both are means over the networks.

    Attributes:
        best_score: 0 to 1, -1 before the first epoch.
        best_epoch: counted from 1.
    """

    best_score: float = -1.0
    best_epoch: int = 0

    def is_best(self, epoch: int, scores: Sequence[float]) -> bool:
        """Return whether an epoch is at least as good as the best one, and remember it if so.

        Args:
            scores: of each network, 0 to 1.
        """
        score = sum(scores) / len(scores)
        if score < self.best_score:
            return False
        self.best_score, self.best_epoch = score, epoch
        return True

    def to_json(self) -> dict[str, Any]:
        """Return what `ModelSelection(**values)` takes."""
        return asdict(self)
