"""What two networks that see different planes predict together, averaged over the epochs.

A new prediction is shaped by the labels that came of the one before. The mean over the epochs moves more slowly than either
and errs less (temporal ensembling: Laine and Aila, ICLR 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.postprocessing import keep_largest_components
from AIDELib.slice_set import SliceSet

# Probabilities are kept in as many steps, a byte each.
STEPS = 255


class JointOpinion:
    """The opinion on the slices of a training set, in the first plane.

    Attributes:
        labels: (N, H, W) uint8, the likeliest classes; the given labels before the first pass.
        shares: for each structure (N, H, W) uint8, its mean probability, 255 for 1.
    """

    def __init__(self, slices: SliceSet, given: Tensor, structure_count: int, memory: float) -> None:
        """Start with the given labels.

        Args:
            given: (N, H, W) uint8.
            memory: share of the old opinion in the new one, 0 to 1.
        """
        self._slices = slices
        self._memory = memory
        self.labels = slices.storage.copy(given)
        size = (len(slices.images), *slices.images.shape[2:])
        self.shares = tuple(slices.storage.settle(slices.storage.labels(*size)) for _ in range(structure_count))

    def take_up(self, case_index: int, probabilities: NDArray[np.float32], is_first: bool) -> NDArray[np.uint8]:
        """Take up a new prediction of a case and return what is now the likeliest class of each voxel.

        Args:
            probabilities: (C, Z, H, W).
            is_first: whether there was no pass before, so that nothing is to be remembered.

        Returns:
            (Z, H, W), each structure's largest component only.
        """
        memory = 0.0 if is_first else self._memory
        foreground = (1 - memory) * probabilities[1:] + memory * self._remembered(case_index)
        for share, own in zip(self.shares, foreground, strict=True):
            self._slices.put_case_labels(share, case_index, np.rint(STEPS * own).astype(np.uint8))
        labels = likeliest([1 - foreground.sum(axis=0), *foreground])
        self._slices.put_case_labels(self.labels, case_index, labels)
        return labels

    def _remembered(self, case_index: int) -> NDArray[np.float32]:
        """Return the mean probabilities (C - 1, Z, H, W) of the structures so far."""
        shares = np.stack([self._slices.case_labels(share, case_index) for share in self.shares])
        return np.divide(shares, STEPS, dtype=np.float32)


def likeliest(scores: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Return the class with the highest score of each voxel, each structure's largest component only.

    Args:
        scores: (Z, H, W) of each class, the background first.
    """
    return keep_largest_components(np.argmax(scores, axis=0).astype(np.uint8), len(scores) - 1)
