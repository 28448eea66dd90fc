"""The labels that people decided on, in a training that may have begun with others."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

from torch import Tensor

from AIDELib.case import LabelQuality
from AIDELib.dataset import Dataset, find_case
from AIDELib.label_files import LabelFiles
from AIDELib.review_decision import read_decisions, with_decisions
from AIDELib.run_folder import RunFolder
from AIDELib.run_slices import RunSlices
from AIDELib.slice_set import CaseSlices
from AIDELib.stage import Stage
from AIDELib.training_method import TrainingMethod

_log = logging.getLogger(__name__)


class DecidedLabels:
    """The decisions that count for a training: those about cases that it has learned from all along.

    They are read once: what people decide while the training is under way counts from its next start on.

    Args:
        reviewed: the run whose labels people decided on.
        given: its dataset, without decisions.
        method: of the training.

    Attributes:
        dataset: the dataset with the labels decided on, as HQA.
        cases: ids of the cases decided about, sorted.

    Raises:
        RunError: the decisions are damaged.
        DatasetError: a decision is about a case that the dataset does not have.
    """

    def __init__(self, reviewed: RunFolder, given: Dataset, method: TrainingMethod) -> None:
        decisions = {
            case: decision
            for case, decision in read_decisions(reviewed).items()
            if method.learns_from(find_case(given, case))
        }
        self.cases = sorted(decisions)
        self.dataset = with_decisions(given, decisions)

    def put_into(
        self,
        stage: Stage,
        learned: Sequence[CaseSlices],
        given: Tensor,
        decided_before: Sequence[str],
        slices: RunSlices,
        files: LabelFiles,
    ) -> None:
        """Put them in the place of all labels of their cases, and the labels that were there at first in the place of those
        whose decision was withdrawn.

        Args:
            stage: as its checkpoint has it.
            learned: its cases.
            given: (N, H, W) labels that it started with; changed as well.
            decided_before: ids of the cases decided about when the checkpoint was written.
        """
        withdrawn = set(decided_before) - set(self.cases)
        for index, case in enumerate(learned):
            if case.case.id in withdrawn and case.case.label is None:
                case = _with_generated_label(case, slices, files)
            if case.case.id in withdrawn.union(self.cases) and case.labels is not None:
                for labels in (given, *(label_set.labels for label_set in stage.label_sets)):
                    stage.slices.put_case_labels(labels, index, case.labels)


def _with_generated_label(case: CaseSlices, slices: RunSlices, files: LabelFiles) -> CaseSlices:
    """Return an unlabelled case with the label that the pretrained networks gave it; with none where they gave none."""
    generated = files.generated(case.case)
    if generated is None:
        _log.warning(
            "Case '%s': the decision about its label was withdrawn, but it was made before the case got a label of its "
            "own; the label decided on stays, and can be corrected from now on.",
            case.case.id,
        )
        return dataclasses.replace(case, labels=None)
    labelled = dataclasses.replace(case.case, label=generated, quality=LabelQuality.LQA)
    return dataclasses.replace(case, labels=slices.cut_first_plane(labelled).labels)
