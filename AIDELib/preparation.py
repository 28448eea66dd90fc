"""The cases of a dataset read, cut into slices and brought onto the training device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from AIDELib.errors import VolumeError
from AIDELib.settings import Settings
from AIDELib.slice_set import CaseSlices
from AIDELib.slicing import SlicePlan, choose_slice_plan, cut_image, cut_labels
from AIDELib.volume import read_grid


def plan_slices(cases: Sequence[Case], settings: Settings) -> SlicePlan:
    """Return the slice plan that fits the training cases; only their headers are read.

    Raises:
        VolumeError: a file cannot be read; the message names the case.
    """
    return choose_slice_plan(map(_first_grid, cases), settings.slice_size, settings.normalization)


def cut_cases(
    cases: Sequence[Case], dataset: Dataset, plan: SlicePlan, observe: Callable[[int, int], None]
) -> list[CaseSlices]:
    """Read and cut cases.

    Args:
        observe: called with the number of cases done and of all; may raise to cancel.

    Raises:
        VolumeError: a file cannot be used; the message names the case.
    """
    cut = []
    for position, case in enumerate(cases):
        observe(position, len(cases))
        volumes = read_case(case, dataset)
        images = np.stack([cut_image(channel, plan) for channel in volumes.channels], axis=1)
        cut.append(CaseSlices(case, images, None if volumes.label is None else cut_labels(volumes.label, plan)))
    observe(len(cases), len(cases))
    return cut


def _first_grid(case: Case) -> sitk.Image:
    try:
        return read_grid(case.images[0])
    except VolumeError as error:
        raise VolumeError(f"Case '{case.id}': {error}") from None
