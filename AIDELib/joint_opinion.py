"""What two networks that see different planes predict together, averaged over the epochs.

A new prediction is shaped by the labels that came of the one before. The mean over the epochs moves more slowly than either
and errs less (temporal ensembling: Laine and Aila, ICLR 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.slice_set import SliceSet

# Probabilities are kept in as many steps, a byte each.
STEPS = 255
MOST_STRUCTURES = 8


class JointOpinion:
    """The opinion on the slices of a training set, in the first plane.

    Attributes:
        labels: (N, H, W) uint8, the likeliest classes; the given labels before the first pass.
        shares: for each structure (N, H, W) uint8, its mean probability, 255 for 1; none where nothing is remembered.
    """

    def __init__(self, slices: SliceSet, given: Tensor, structure_count: int, memory: float) -> None:
        """Start with the given labels.

        Args:
            given: (N, H, W) uint8.
            memory: share of the old opinion in the new one, 0 to 1; counts as 0 where there are so many structures that
                their probabilities would take more room than the images.
        """
        self._slices = slices
        self._memory = memory if structure_count <= MOST_STRUCTURES else 0.0
        self.labels = slices.storage.copy(given)
        remembered = structure_count if self._memory else 0
        size = (len(slices.images), *slices.images.shape[2:])
        self.shares = tuple(slices.storage.settle(slices.storage.labels(*size)) for _ in range(remembered))

    def take_up(self, case_index: int, probabilities: NDArray[np.float32], is_first: bool) -> NDArray[np.uint8]:
        """Take up a new prediction of a case and return what is now the likeliest class of each voxel.

        Args:
            probabilities: (C, Z, H, W).
            is_first: whether there was no pass before, so that nothing is to be remembered.

        Returns:
            (Z, H, W); what is made of it belongs into `labels`.
        """
        if not self._memory:
            return likeliest(probabilities)
        mean = probabilities
        if not is_first:
            mean = (1 - self._memory) * mean
            mean[1:] += self._memory * self._remembered(case_index)
            mean[0] = 1 - mean[1:].sum(axis=0)
        for share, own in zip(self.shares, mean[1:], strict=True):
            self._slices.put_case_labels(share, case_index, np.rint(STEPS * own).astype(np.uint8))
        return likeliest(mean)

    def settle(self, case_index: int, labels: NDArray[np.uint8]) -> None:
        """Let these labels (Z, H, W) of a case be the opinion."""
        self._slices.put_case_labels(self.labels, case_index, labels)

    def _remembered(self, case_index: int) -> NDArray[np.float32]:
        """Return the mean probabilities (C - 1, Z, H, W) of the structures so far."""
        shares = np.stack([self._slices.case_labels(share, case_index) for share in self.shares])
        return np.divide(shares, STEPS, dtype=np.float32)


def likeliest(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the class (Z, H, W) with the highest score (C, Z, H, W) of each voxel."""
    return np.argmax(scores, axis=0).astype(np.uint8)
