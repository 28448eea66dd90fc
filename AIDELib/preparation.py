"""The cases of a dataset read, cut into slices and brought onto the training device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.case import Case
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from AIDELib.errors import VolumeError
from AIDELib.padding import padded_size
from AIDELib.settings import Settings
from AIDELib.slice_set import CaseSlices
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import (
    SlicePlan,
    choose_second_plan,
    choose_slice_plan,
    cut_image,
    cut_labels,
    slice_count,
    slice_distance,
)
from AIDELib.volume import read_grid


def plan_slices(cases: Sequence[Case], settings: Settings) -> SlicePlan:
    """Return the slice plan that fits the training cases; only their headers are read.

    Raises:
        VolumeError: a file cannot be read; the message names the case.
        SettingsError: the wanted plane does not fit the images.
    """
    return choose_slice_plan(map(_first_grid, cases), settings.slice_size, settings.normalization, settings.slice_plane)


def plan_second_plane(cases: Sequence[Case], settings: Settings, first: SlicePlan) -> SlicePlan | None:
    """Return the plan of the second network's slices where that is wanted and the images allow it.

    Raises:
        VolumeError: a file cannot be read; the message names the case.
    """
    if not settings.plane_per_network:
        return None
    return choose_second_plan(map(_first_grid, cases), settings.slice_size, first)


def slice_bytes(cases: Sequence[Case], plan: SlicePlan, label_sets: int) -> int:
    """Return how many bytes the slices of the training cases in one plane take with their labels; only headers are read.

    Args:
        label_sets: how many labels each slice has.

    Raises:
        VolumeError: a file cannot be read; the message names the case.
    """
    count = sum(slice_count(_first_grid(case), plan) for case in cases)
    height, width = padded_size((1, 1), plan.size)
    return count * height * width * (4 * len(cases[0].images) + label_sets)


def cut_cases(
    cases: Sequence[Case],
    dataset: Dataset,
    plan: SlicePlan,
    second_plan: SlicePlan | None,
    storage: SliceStorage,
    observe: Callable[[int, int], None],
) -> list[CaseSlices]:
    """Read and cut cases.

    Args:
        second_plan: of the second plane, where there is one.
        storage: where the slices are to lie.
        observe: called with the number of cases done and of all; may raise to cancel.

    Raises:
        VolumeError: a file cannot be used; the message names the case.
    """
    cut = []
    for position, case in enumerate(cases):
        observe(position, len(cases))
        volumes = read_case(case, dataset)
        images, second_images = (
            None if own is None else storage.keep(_cut_channels(volumes.channels, own)) for own in (plan, second_plan)
        )
        assert images is not None
        labels = None if volumes.label is None else storage.keep(cut_labels(volumes.label, plan))
        distances = [slice_distance(volumes.channels[0], own) for own in (plan, second_plan or plan)]
        cut.append(CaseSlices(case, images, labels, second_images, *distances))
    observe(len(cases), len(cases))
    return cut


def _cut_channels(channels: Sequence[sitk.Image], plan: SlicePlan) -> NDArray[np.float32]:
    """Return the slices (Z, M, H, W) of all channels."""
    return np.stack([cut_image(channel, plan) for channel in channels], axis=1)


def _first_grid(case: Case) -> sitk.Image:
    try:
        return read_grid(case.images[0])
    except VolumeError as error:
        raise VolumeError(f"Case '{case.id}': {error}") from None
