"""What a run leaves for people to look at: generated, corrected and suggested labels, and the ranking of suspect ones."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.case import Case, LabelQuality
from AIDELib.dataset_file import relative_path
from AIDELib.label_pass import agreements_with
from AIDELib.prediction_files import write_labels
from AIDELib.process_group import ProcessGroup
from AIDELib.review import ReviewedCase, review_document
from AIDELib.run_folder import RunFolder
from AIDELib.sealed_document import write_sealed
from AIDELib.segmentation_file import SEGMENTATION_ENDING, is_damaged_segmentation
from AIDELib.slicing import SlicePlan, assemble_labels
from AIDELib.stage import EpochResult, Stage
from AIDELib.structure import Structure
from AIDELib.volume import read_grid

_log = logging.getLogger(__name__)


class LabelFiles:
    """Writes the labels of a run, each on the grid of its case's first image; of several processes the leader alone.

    Args:
        run: the run.
        structures: of its dataset.
        plan: how the slices that labels come as were cut.
        group: the processes that train together.
    """

    def __init__(self, run: RunFolder, structures: Sequence[Structure], plan: SlicePlan, group: ProcessGroup) -> None:
        self._run = run
        self._structures = structures
        self._plan = plan
        self._group = group

    def write_generated(self, cases: Sequence[Case], labels: Sequence[NDArray[np.uint8]]) -> None:
        """Write the label maps (Z, H, W) that unlabelled cases got."""
        for case, own in zip(cases, labels, strict=True):
            self._write(own, case, self._run.generated_folder)

    def generated(self, case: Case) -> Path | None:
        """Return the file with the label that an unlabelled case got; None where it got none."""
        file = self._run.generated_folder / _file_name(case)
        return file if file.exists() else None

    def write_corrected(self, stage: Stage, result: EpochResult) -> None:
        """Write the labels that an epoch rewrote."""
        for position, (label_set, corrected) in enumerate(zip(stage.label_sets, result.corrected, strict=True)):
            for index, case in enumerate(stage.slices.cases):
                if case.id in corrected:
                    own = stage.slices.case_labels(label_set.labels, index)
                    self._write(own, case, self._folder_of_network(position))

    def write_suggestions(self, stage: Stage) -> None:
        """Write what the networks together think best for each case that is not HQA."""
        for case, labels in zip(stage.slices.cases, stage.suggestions(), strict=True):
            if case.quality is not LabelQuality.HQA:
                self._write(labels, case, self._run.suggested_folder)

    def write_review(self, stage: Stage, result: EpochResult, given: Tensor, trends: list[list[float]]) -> None:
        """Write the ranking of the cases, and add the agreements of the epoch to the trends.

        Args:
            given: (N, H, W) labels that the stage started with.
            trends: for each case, its agreement with them after each epoch.
        """
        agreements = [
            agreements_with(own, given, stage.slices, stage.structure_count, self._group)
            for own in result.predictions.judgements
        ]
        for trend, agreement in zip(trends, np.mean(agreements, axis=0), strict=True):
            trend.append(round(float(agreement), 6))
        reviewed = [self._reviewed(stage, index, trend) for index, trend in enumerate(trends)]
        self._group.lead(lambda: write_sealed(self._run.review_file, review_document(reviewed)))

    def mend(self, stage: Stage, given: Tensor) -> None:
        """Write label files anew that were damaged or lost since; the checkpoint has what was in them.

        Args:
            given: (N, H, W) labels that the stage started with.
        """
        self._group.lead(lambda: self._mend_all(stage, given))

    def _mend_all(self, stage: Stage, given: Tensor) -> None:
        for index, case in enumerate(stage.slices.cases):
            for position, label_set in enumerate(stage.label_sets):
                if label_set.corrected_at[index]:
                    self._mend(label_set.labels, stage, index, self._folder_of_network(position))
            if case.quality is LabelQuality.UNLABELLED:
                self._mend(given, stage, index, self._run.generated_folder)

    def _mend(self, labels: Tensor, stage: Stage, index: int, folder: Path) -> None:
        case = stage.slices.cases[index]
        file = folder / _file_name(case)
        if not file.exists() or is_damaged_segmentation(file):
            _log.warning("The label %s was damaged or lost; it is written anew from the checkpoint.", file)
            self._write_file(stage.slices.case_labels(labels, index), case, folder)

    def _folder_of_network(self, position: int) -> Path:
        return self._run.corrected_folder / f"network{position + 1}"

    def _write(self, slices: NDArray[np.uint8], case: Case, folder: Path) -> None:
        self._group.lead(lambda: self._write_file(slices, case, folder))

    def _write_file(self, slices: NDArray[np.uint8], case: Case, folder: Path) -> None:
        folder.parent.mkdir(exist_ok=True)
        labels = assemble_labels(slices, read_grid(case.images[0]), self._plan, len(self._structures) + 1)
        write_labels(labels, self._structures, folder / _file_name(case))

    def _reviewed(self, stage: Stage, index: int, trend: Sequence[float]) -> ReviewedCase:
        case = stage.slices.cases[index]
        return ReviewedCase(
            case=case.id,
            quality=case.quality,
            suspicion=round(1 - trend[-1], 6),
            trend=tuple(trend),
            corrected_at=tuple(tuple(label_set.corrected_at[index]) for label_set in stage.label_sets),
            suggestion=None if case.quality is LabelQuality.HQA else _relative(self._run.suggested_folder, case),
            given=self._given_label(case),
        )

    def _given_label(self, case: Case) -> str:
        if case.label is None:
            return _relative(self._run.generated_folder, case)
        return relative_path(case.label, self._run.path.absolute())


def _relative(folder: Path, case: Case) -> str:
    return f"{folder.name}/{_file_name(case)}"


def _file_name(case: Case) -> str:
    return f"{case.id}{SEGMENTATION_ENDING}"
