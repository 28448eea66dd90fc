"""A suggestion which patients are for training, for choosing the model, and for testing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from AIDELib.case import LabelQuality, Split
from AIDETrainingLib.case_row import CaseRow

TEST_SHARE = 0.2
# With fewer labelled patients than this, each is needed for training.
FEWEST_FOR_TEST = 3
FEWEST_FOR_VALIDATION = 10
VALIDATION_SHARE = 0.1


def suggestSplits(rows: Sequence[CaseRow], seed: int = 0) -> dict[str, Split]:
    """Return a split for each patient.

    A fifth of the patients whose labels are all of high quality are for testing, and from ten of them on a tenth for
    choosing the best model. What has no good label cannot be measured against and is for training, and at least one
    patient with a good label always is.

    Args:
        seed: the same seed and rows give the same suggestion.
    """
    qualities: dict[str, list[LabelQuality]] = defaultdict(list)
    for row in rows:
        qualities[row.patient].append(row.quality)
    good = sorted(patient for patient, own in qualities.items() if set(own) == {LabelQuality.HQA})
    random.Random(seed).shuffle(good)
    testCount = max(1, round(TEST_SHARE * len(good))) if len(good) >= FEWEST_FOR_TEST else 0
    validationCount = round(VALIDATION_SHARE * len(good)) if len(good) >= FEWEST_FOR_VALIDATION else 0
    splits = dict.fromkeys(qualities, Split.TRAIN)
    splits |= dict.fromkeys(good[:testCount], Split.TEST)
    splits |= dict.fromkeys(good[testCount : testCount + validationCount], Split.VAL)
    return splits
