"""QUBIQ's continuous score of a prediction against several raters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from AIDELib.metrics import Mask, dice

THRESHOLDS = tuple(tenth / 10 for tenth in range(1, 10))


def qubiq_score(probability: NDArray[np.floating], rater_masks: Sequence[Mask]) -> float:
    """Return the mean DSC of prediction and mean rater mask, both thresholded at 0.1, 0.2 … 0.9.

    After the QUBIQ challenge (Quantification of Uncertainties in Biomedical Image Quantification, MICCAI 2020).

    Args:
        probability: 0 to 1.
        rater_masks: at least one, each of the probability's shape.

    Returns:
        0 to 1.
    """
    agreement = np.mean([mask.astype(np.float64) for mask in rater_masks], axis=0)
    # A third of three raters is no exact binary fraction; a millionth keeps it on its own side of each threshold.
    return float(np.mean([dice(probability >= threshold, agreement >= threshold - 1e-6) for threshold in THRESHOLDS]))
