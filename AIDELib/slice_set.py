"""All slices of a set of cases as tensors, on the training device where it has room for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.case import Case, LabelQuality
from AIDELib.padding import centred_placement, padded_size
from AIDELib.slice_storage import SliceStorage


@dataclass(frozen=True)
class CaseSlices:
    """The slices of one case on the common in-plane grid.

    Attributes:
        case: the case.
        images: (Z, M, H, W) float32, z-scored.
        labels: (Z, H, W) uint8, 0 background, i + 1 = structure i; None without label.
        second_images: (Z', M, H', W') float32, the same volume in the second plane, where there is one.
        distance, second_distance: mm between the slices of each plane.
    """

    case: Case
    images: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    second_images: NDArray[np.float32] | None = None
    distance: float = 1.0
    second_distance: float = 1.0


@dataclass(frozen=True)
class SliceSet:
    """The slices of all cases, padded to one size; N slices in all.

    Attributes:
        cases: the cases in order.
        images: (N, M, H, W) floating point, where the storage has them.
        ranges: the slices of each case in `images`.
        placements: where in the padded slice the slices of each case lie.
        storage: where images and labels lie.
        distances: mm between the slices of each case.
    """

    cases: tuple[Case, ...]
    images: Tensor
    ranges: tuple[range, ...]
    placements: tuple[tuple[slice, slice], ...]
    storage: SliceStorage
    distances: tuple[float, ...]

    @classmethod
    def build(cls, cases: Sequence[CaseSlices], storage: SliceStorage, smallest: tuple[int, int]) -> SliceSet:
        """Return the slices of all cases in a storage, centred in slices of one size.

        Args:
            smallest: (H, W) that the slices are padded to at least, as the plan says.
        """
        largest = [max(case.images.shape[axis] for case in cases) for axis in (2, 3)]
        height, width = padded_size(largest, smallest)
        count = sum(len(case.images) for case in cases)
        images = storage.images(count, cases[0].images.shape[1], height, width)
        ranges, placements, start = [], [], 0
        for case in cases:
            ranges.append(range(start, start + len(case.images)))
            placements.append(centred_placement(case.images.shape[2:], (height, width)))
            images[start : ranges[-1].stop, :, *placements[-1]] = torch.from_numpy(case.images)
            start = ranges[-1].stop
        images = storage.settle(images)
        distances = tuple(case.distance for case in cases)
        return cls(tuple(case.case for case in cases), images, tuple(ranges), tuple(placements), storage, distances)

    @property
    def device(self) -> torch.device:
        """The device that computes."""
        return self.storage.device

    def take(self, tensor: Tensor, indices: Sequence[int]) -> Tensor:
        """Return some slices of the images, or of labels as `pad_labels` gives them, on the device."""
        return self.storage.take(tensor, indices)

    def pad_labels(self, labels: Iterable[NDArray[np.uint8]]) -> Tensor:
        """Return the label slices (Z, H, W) of each case as one (N, height, width) uint8 tensor, where the images lie."""
        padded = self.storage.labels(len(self.images), *self.images.shape[2:])
        for slices, placement, case_labels in zip(self.ranges, self.placements, labels, strict=True):
            padded[slices.start : slices.stop, *placement] = torch.from_numpy(case_labels)
        return self.storage.settle(padded)

    def case_shape(self, case_index: int) -> tuple[int, int, int]:
        """Return the number of slices, rows and columns of a case without padding."""
        rows, columns = self.placements[case_index]
        return len(self.ranges[case_index]), rows.stop - rows.start, columns.stop - columns.start

    def case_labels(self, labels: Tensor, case_index: int) -> NDArray[np.uint8]:
        """Return the label slices (Z, H, W) of one case, without padding, from a (N, height, width) tensor."""
        slices = self.ranges[case_index]
        return labels[slices.start : slices.stop, *self.placements[case_index]].cpu().numpy()

    def put_case_labels(self, labels: Tensor, case_index: int, case_labels: NDArray[np.uint8]) -> None:
        """Write the label slices (Z, H, W) of one case into a (N, height, width) tensor."""
        slices = self.ranges[case_index]
        labels[slices.start : slices.stop, *self.placements[case_index]] = torch.from_numpy(case_labels).to(
            labels.device
        )

    def slices_of(self, quality: LabelQuality) -> list[int]:
        """Return the indices of the slices of all cases of one label quality."""
        return [
            index
            for case, slices in zip(self.cases, self.ranges, strict=True)
            if case.quality is quality
            for index in slices
        ]
