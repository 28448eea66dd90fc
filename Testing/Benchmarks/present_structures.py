"""Which structures a case has: a mean over others would count how often nothing is there."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset


def structures_of(case: Case, dataset: Dataset) -> frozenset[str]:
    """Return the names of the structures that the label of a case holds."""
    label = read_case(case, dataset).label
    if label is None:
        return frozenset()
    present = np.unique(sitk.GetArrayViewFromImage(label))
    return frozenset(
        structure.name for index, structure in enumerate(dataset.structures) if index + 1 in present.tolist()
    )
