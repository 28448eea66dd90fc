"""Global label correction: the labels that agree least with the predictions are rewritten (paper, Methods)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# 7 % of 100 cases are 7, although 0.07 * 100 is a little more.
_ROUNDING = 1e-9


def agreement(prediction: NDArray[np.uint8], labels: NDArray[np.uint8], structure_count: int) -> float:
    """Return the mean over the structures of the DSC of a case's prediction with its labels.

    Args:
        prediction, labels: label maps of one shape; 0 background, i + 1 = structure i.

    Returns:
        0 to 1; a structure absent from both counts as 1.
    """
    return (
        sum(_overlap(prediction == value, labels == value) for value in range(1, structure_count + 1)) / structure_count
    )


def _overlap(prediction: NDArray[np.bool_], label: NDArray[np.bool_]) -> float:
    total = np.count_nonzero(prediction) + np.count_nonzero(label)
    return 2 * np.count_nonzero(prediction & label) / total if total else 1.0


def correction_is_due(epoch: int, first_epoch: int, warm_up_epochs: int, interval: int) -> bool:
    """Return whether labels are rewritten after an epoch: each one of the warm-up, then every so many.

    Args:
        epoch: counted from 1.
        first_epoch: no correction before it; the paper corrects from the first epoch on.
        warm_up_epochs: last epoch of the warm-up.
        interval: epochs between corrections after it.
    """
    return epoch >= first_epoch and (epoch <= warm_up_epochs or epoch % interval == 0)


def cases_to_correct(agreements: Sequence[float], protected: Sequence[bool], share: float) -> list[int]:
    """Return the cases whose labels agree least with the predictions.

    Args:
        agreements: of each case, 0 to 1.
        protected: cases whose labels are never replaced (HQA).
        share: of the cases that are not protected, rounded up.

    Returns:
        Indices of cases, the smallest agreement first; ties in the order of the cases.
    """
    open_cases = [index for index, is_protected in enumerate(protected) if not is_protected]
    ranked = sorted(open_cases, key=lambda index: agreements[index])
    return ranked[: math.ceil(share * len(open_cases) - _ROUNDING)]


def with_consensus(
    candidates: Sequence[int],
    mutual_agreements: Sequence[float],
    agreements: Sequence[float],
    margins: Sequence[float],
) -> list[int]:
    """Return the cases whose predictions the networks agree on clearly more than each of them does with its labels.

    A prediction that the other network does not share is as likely an error as the label is; written into the labels, it
    would be learned and predicted again. A correct label differs from a prediction about as much as the predictions of two
    networks differ from each other, so that a label is only an outlier where it differs more.

    Args:
        candidates: indices of cases.
        mutual_agreements: for each case, of the networks' predictions with each other.
        agreements: for each case, of one network's prediction with its labels.
        margins: for each case, by how much the former is to be larger than the latter, 0 to 1.
    """
    return [index for index in candidates if mutual_agreements[index] - agreements[index] > margins[index]]
