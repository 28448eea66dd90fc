"""The current labels of the training slices, as one network sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.slice_set import SliceSet


class LabelSet:
    """One network's own label set; both start as the given labels and change independently.

    Attributes:
        labels: (N, H, W) uint8 on the training device.
        corrected_at: for each case, the epochs after which its labels were rewritten.
    """

    def __init__(self, labels: Tensor, corrected_at: list[list[int]]) -> None:
        self.labels = labels
        self.corrected_at = corrected_at

    @classmethod
    def given(cls, labels: Tensor, case_count: int) -> LabelSet:
        """Return a label set that holds a copy of the given labels."""
        return cls(labels.clone(), [[] for _ in range(case_count)])

    def rewrite(self, slices: SliceSet, case_index: int, labels: NDArray[np.uint8], epoch: int) -> None:
        """Replace the labels (Z, H, W) of one case."""
        slices.put_case_labels(self.labels, case_index, labels)
        self.corrected_at[case_index].append(epoch)
