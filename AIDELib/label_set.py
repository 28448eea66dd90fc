"""The current labels of the training slices, as one network sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.slice_set import SliceSet


class LabelSet:
    """One network's own label set; both start as the given labels and change independently.

    Attributes:
        labels: (N, H, W) uint8, where the images lie.
        corrected_at: for each case, the epochs after which its labels were rewritten.
    """

    def __init__(self, labels: Tensor, corrected_at: list[list[int]]) -> None:
        self.labels = labels
        self.corrected_at = corrected_at

    @classmethod
    def given(cls, labels: Tensor, slices: SliceSet) -> LabelSet:
        """Return a label set that holds a copy of the given labels of the slices."""
        return cls(slices.storage.copy(labels), [[] for _ in slices.cases])

    def rewrite(self, slices: SliceSet, case_index: int, labels: NDArray[np.uint8], epoch: int) -> None:
        """Replace the labels (Z, H, W) of one case."""
        slices.put_case_labels(self.labels, case_index, labels)
        self.corrected_at[case_index].append(epoch)
