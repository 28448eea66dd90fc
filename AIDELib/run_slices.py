"""The cases of a run, cut in the planes that its networks see and kept where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence

from AIDELib.case import Case, Split
from AIDELib.dataset import Dataset
from AIDELib.joint_opinion import MOST_STRUCTURES
from AIDELib.preparation import cut_cases, plan_second_plane, plan_slices, slice_bytes
from AIDELib.run_context import RunContext
from AIDELib.second_plane import SecondPlane
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import SlicePlan
from AIDELib.training_method import TrainingMethod


class RunSlices:
    """Cuts cases for one run.

    Args:
        dataset: the run's cases; its training cases decide how all are cut.
        method: whose networks see the slices.

    Attributes:
        plan: of the first plane.
        second_plan: of the second network's plane; None where both see the same slices.

    Raises:
        VolumeError: a file cannot be read; the message names the case.
        SettingsError: the wanted plane does not fit the images.
    """

    def __init__(self, dataset: Dataset, method: TrainingMethod, context: RunContext) -> None:
        self._dataset = dataset
        self._context = context
        training = dataset.select(Split.TRAIN)
        self.plan = plan_slices(training, method.settings)
        self.second_plan = plan_second_plane(training, method.settings, self.plan) if method.plane_per_network else None
        self._tell_planes()
        self._storage = self._choose_storage(training, method.network_count)

    @property
    def plans(self) -> tuple[SlicePlan, ...]:
        """The plan of each plane."""
        return (self.plan,) if self.second_plan is None else (self.plan, self.second_plan)

    def cut(self, cases: Sequence[Case]) -> list[CaseSlices]:
        """Read and cut cases, in all planes.

        Raises:
            VolumeError: a file cannot be used; the message names the case.
            StopRequested: somebody wants the run to end.
        """
        return cut_cases(cases, self._dataset, self.plan, self.second_plan, self._storage, self._context.tell_step)

    def cut_first_plane(self, case: Case) -> CaseSlices:
        """Read and cut a case in the first plane alone, the one of the labels; raises what `cut` does."""
        (cut,) = cut_cases([case], self._dataset, self.plan, None, self._storage, self._context.tell_step)
        return cut

    def first_plane(self, cut: Sequence[CaseSlices]) -> SliceSet:
        """Return the slices of the first plane as one set."""
        return SliceSet.build(cut, self._storage, self.plan.size)

    def second_plane(self, cut: Sequence[CaseSlices], first: SliceSet) -> SecondPlane | None:
        """Return what the second network sees of a set of `first_plane`, where it does not see the same."""
        if self.second_plan is None:
            return None
        return SecondPlane.build(cut, first, self.plan, self.second_plan, self._storage)

    def planes(self, cut: Sequence[CaseSlices]) -> tuple[SliceSet, SecondPlane | None]:
        """Return both of the above."""
        first = self.first_plane(cut)
        return first, self.second_plane(cut, first)

    def _tell_planes(self) -> None:
        if self.second_plan is not None:
            first, second = self.plan.orientation.value, self.second_plan.orientation.value
            self._context.progress.event(
                "notice",
                message=f"The voxels are nearly cubes: network 1 sees {first} slices, network 2 {second} ones.",
            )

    def _choose_storage(self, training: Sequence[Case], network_count: int) -> SliceStorage:
        # What the networks of two planes predict together takes as much as labels, for each structure and in all.
        opinion = 1 + min(len(self._dataset.structures), MOST_STRUCTURES)
        label_sets = 1 + network_count + opinion * (len(self.plans) - 1)
        needed = sum(slice_bytes(training, plan, label_sets) for plan in self.plans)
        context = self._context
        storage = SliceStorage.choose(needed, context.device, context.run.path, context.group.size)
        notice = storage.notice(needed)
        if notice is not None:
            context.progress.event("notice", message=notice)
        return storage
