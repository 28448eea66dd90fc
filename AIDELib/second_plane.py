"""The slices of the same cases in another plane: what the second network sees.

Two networks err alike where they see the same slices. Cut in different planes, a volume shows each of them other
neighbours, so that their errors differ and their mean prediction is better than either (multi-view co-training: Zhou et
al., WACV 2019; Xia et al., Medical Image Analysis 2020). Labels are kept in the first plane alone, and turned when needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import SlicePlan, turned


@dataclass(frozen=True)
class SecondPlane:
    """The slices of a set's cases in another plane.

    Attributes:
        first: the slices in the first plane; labels lie as they do.
        slices: the same cases in the second plane.
        first_plan, plan: of both.
    """

    first: SliceSet
    slices: SliceSet
    first_plan: SlicePlan
    plan: SlicePlan

    @classmethod
    def build(
        cls, cases: Sequence[CaseSlices], first: SliceSet, first_plan: SlicePlan, plan: SlicePlan, storage: SliceStorage
    ) -> SecondPlane:
        """Return the second plane of a set.

        Args:
            cases: those of the set in its order, with `second_images`.
        """
        cut = [
            CaseSlices(case.case, case.second_images, None, distance=case.second_distance)
            for case in cases
            if case.second_images is not None
        ]
        return cls(first, SliceSet.build(cut, storage, plan.size), first_plan, plan)

    def turned(self, stack: NDArray[Any], case_index: int) -> NDArray[Any]:
        """Return a case's stack (..., Z, H, W) in the first plane as (..., Z', H', W') in the second."""
        return turned(stack, self.first_plan, self.plan, self.slices.case_shape(case_index))

    def turned_back(self, stack: NDArray[Any], case_index: int) -> NDArray[Any]:
        """Return a case's stack (..., Z', H', W') in the second plane as (..., Z, H, W) in the first."""
        return turned(stack, self.plan, self.first_plan, self.first.case_shape(case_index))

    def labels(self, labels: Tensor) -> Tensor:
        """Return the labels (N, H, W) of the first plane's slices as those (N', H', W') of the second's."""
        return self.slices.pad_labels(
            self.turned(self.first.case_labels(labels, index), index) for index in range(len(self.first.cases))
        )
