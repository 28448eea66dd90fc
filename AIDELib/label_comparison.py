"""The metrics of each structure of two label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from AIDELib.metrics import Metrics, measure
from AIDELib.structure import Structure


@dataclass(frozen=True)
class MetricRow:
    """One line of a metrics table.

    Attributes:
        case: id of the case.
        structure: name of the structure.
        metrics: the four metrics.
    """

    case: str
    structure: str
    metrics: Metrics


def compare_labels(
    case: str, prediction: sitk.Image, reference: sitk.Image, structures: Sequence[Structure]
) -> list[MetricRow]:
    """Return one row per structure.

    Args:
        case: id for the rows.
        prediction, reference: label maps (0 background, i + 1 = structure i) on one grid.
    """
    predicted, expected = sitk.GetArrayViewFromImage(prediction), sitk.GetArrayViewFromImage(reference)
    spacing = array_spacing(reference)
    return [
        MetricRow(case, structure.name, measure(predicted == index + 1, expected == index + 1, spacing))
        for index, structure in enumerate(structures)
    ]


def array_spacing(image: sitk.Image) -> tuple[float, ...]:
    """Return the voxel size in mm in the order of the image's array axes (z, y, x)."""
    return tuple(np.array(image.GetSpacing())[::-1].tolist())
