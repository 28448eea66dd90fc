"""How good an epoch's networks are: what the choice of the model goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from torch import Tensor

from AIDELib.label_pass import agreements_with
from AIDELib.process_group import ProcessGroup
from AIDELib.run_slices import RunSlices
from AIDELib.second_plane import SecondPlane
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.stage import EpochResult, Stage


class ScoreKind(str, Enum):
    """What a score is the mean of."""

    VALIDATION = "validation DSC"
    TRAINING = "training agreement"


@dataclass(frozen=True)
class EpochScore:
    """The scores of an epoch.

    Attributes:
        kind: what they are.
        values: 0 to 1; one of both networks together where the model is both and there are validation cases, otherwise one
            of each network.
    """

    kind: ScoreKind
    values: tuple[float, ...]


@dataclass(frozen=True)
class ValidationCases:
    """The labelled cases that nothing is learned from.

    Attributes:
        slices, second: in both planes.
        labels: (N, H, W) of the first one's slices.
    """

    slices: SliceSet
    second: SecondPlane | None
    labels: Tensor

    @classmethod
    def build(cls, cut: Sequence[CaseSlices], slices: RunSlices) -> ValidationCases | None:
        """Return those of the cases that have a label; None where there are none."""
        labelled = [(case, case.labels) for case in cut if case.labels is not None]
        if not labelled:
            return None
        first, second = slices.planes([case for case, _ in labelled])
        return cls(first, second, first.pad_labels([labels for _, labels in labelled]))


def score_epoch(
    stage: Stage, result: EpochResult, validation: ValidationCases | None, group: ProcessGroup
) -> EpochScore:
    """Return how good what the model may be is: both networks together, or each one.

    Without validation cases, it is the agreement of each network with the labels that it learns, the authors' rule.
    """
    if validation is None:
        agreements = result.predictions.agreements
        return EpochScore(ScoreKind.TRAINING, tuple(float(np.mean(own)) for own in agreements))
    slices, second = validation.slices, validation.second
    predicted = (
        [stage.predict_jointly(slices, second)] if stage.settings.ensemble else stage.predict_apart(slices, second)
    )
    return EpochScore(
        ScoreKind.VALIDATION,
        tuple(
            float(np.mean(agreements_with(own, validation.labels, slices, stage.structure_count, group)))
            for own in predicted
        ),
    )
