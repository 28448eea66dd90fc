"""The label review of a run: the ranking, the case that is looked at, and the decisions about labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _

from AIDELib.case import Case, LabelQuality
from AIDELib.dataset import Dataset, find_case
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import RunError
from AIDELib.label_disagreement import Disagreement
from AIDELib.review import ReviewedCase, read_review
from AIDELib.review_decision import Choice, ReviewDecision, read_decisions, withdraw_decision
from AIDELib.run_folder import RunFolder
from AIDESlicer.node_removal import removeNode
from AIDESlicer.segmentation_snapshot import snapshotOfSegments
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_rows import rowOfCase
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.edited_label import editedLabel, markEdited
from AIDETrainingLib.review_display import ReviewDisplay, editableSegmentation
from AIDETrainingLib.review_labels import (
    ReviewLabels,
    ReviewMaterial,
    correctedFile,
    decide,
    readReviewLabels,
    readReviewMaterial,
    requireCorrected,
)
from AIDETrainingLib.stepwise import Steps, completeSteps

_SEGMENT_EDITOR = "SegmentEditor"


class ReviewController:
    """Looks at the cases of one run and records what a person decides.

    Args:
        table: the case table; rows of the reviewed cases get the decided label and the quality HQA.
    """

    def __init__(self, table: CaseTable) -> None:
        self._table = table
        self._display = ReviewDisplay()
        self._run: RunFolder | None = None
        self._dataset: Dataset | None = None
        self._shown: tuple[str, ReviewLabels] | None = None
        self._before: dict[str, CaseRow] = {}

    def setRun(self, folder: Path | None) -> None:
        """Choose the run to review; what was shown of another one is removed."""
        path = None if self._run is None else self._run.path
        if path != folder:
            self.clear()
            self._before = {}
            self._run = None if folder is None else RunFolder(folder)

    def clear(self) -> None:
        """Remove what is shown."""
        self._display.clear()
        self._shown = None
        self._dataset = None

    def cases(self) -> list[ReviewedCase]:
        """Return the cases, most suspect first; empty before the first epoch of the training proper.

        Raises:
            RunError: the review is damaged.
        """
        if self._run is None or not self._run.review_file.is_file():
            return []
        return read_review(self._run)

    def decisions(self) -> dict[str, ReviewDecision]:
        """Return the decisions by case.

        Raises:
            RunError: they are damaged.
        """
        return {} if self._run is None else read_decisions(self._run)

    def reading(self, caseName: str) -> Callable[[], ReviewMaterial]:
        """Return the function that reads what is shown of a case; it touches no node, so that a thread can do it.

        Raises:
            AIDEError: there is no such case.
        """
        run, dataset = self._opened()
        reviewed, case = self._reviewed(caseName), find_case(dataset, caseName)
        withImage = self._display.volumeInScene(case, self._rowOf(case)) is None
        return lambda: readReviewMaterial(run, dataset, reviewed, withImage)

    def showSteps(self, caseName: str, material: ReviewMaterial) -> Steps[None]:
        """Show a case with both labels, centred on where they differ most, step by step.

        Raises:
            AIDEError: the labels do not fit the image.
        """
        _run, dataset = self._opened()
        self._shown = None
        case = find_case(dataset, caseName)
        yield from self._display.show(case, self._rowOf(case), material, dataset.structures)
        self._shown = (caseName, material.labels)

    def show(self, caseName: str) -> Disagreement | None:
        """Show a case with both labels, centred on where they differ most, and return that place.

        Example:
            logic.review.show("patient 3")

        Raises:
            AIDEError: there is no such case, or a file cannot be read.
        """
        material = self.reading(caseName)()
        completeSteps(self.showSteps(caseName, material))
        return material.disagreement

    def hasCorrection(self, caseName: str) -> bool:
        """Return whether the networks left a corrected label of a case."""
        run, _dataset = self._opened()
        return correctedFile(run, self._reviewed(caseName)) is not None

    def acceptCorrection(self, caseName: str) -> None:
        """Let the corrected label count from now on, as HQA.

        Raises:
            AIDEError: the case has no corrected label, or the run cannot be written; nothing is then changed.
        """
        self._decide(caseName, Choice.ACCEPT, requireCorrected(self._labels(caseName), caseName))

    def keepGiven(self, caseName: str) -> None:
        """Let the given label count as HQA.

        Raises:
            AIDEError: the label cannot be read, or the run cannot be written; nothing is then changed.
        """
        self._decide(caseName, Choice.KEEP, self._labels(caseName).given)

    def edit(self, caseName: str) -> vtk.vtkObject:
        """Open the corrected label, or the given one where there is none, in the Segment Editor, and return its node.

        A label that is being edited already is opened again as it is.
        """
        run, dataset = self._opened()
        if self._shown is None or self._shown[0] != caseName:
            self.show(caseName)
        node = self.editedNode(caseName)
        if node is None:
            labels = self._labels(caseName)
            chosen = labels.given if labels.corrected is None else labels.corrected
            case = find_case(dataset, caseName)
            node = editableSegmentation(case, self._display.volumeNode, chosen, dataset.structures)
            markEdited(node, run.path, caseName)
        else:
            # The volume that it was drawn on may have been shown anew since.
            node.SetReferenceImageGeometryParameterFromVolumeNode(self._display.volumeNode)
        self._display.hideSegments()
        self._display.reveal(node)
        _openInSegmentEditor(node, self._display.volumeNode)
        return node

    def editedNode(self, caseName: str) -> vtk.vtkObject | None:
        """Return the segmentation in which a case is being edited, None for none."""
        return None if self._run is None else editedLabel(self._run.path, caseName)

    def useEdited(self, caseName: str) -> None:
        """Let the label drawn in the Segment Editor count from now on, as HQA.

        Raises:
            RunError: the case is not being edited, a segment is no structure of the run, or nothing is drawn.
            AIDEError: the label is gone or the run cannot be written; nothing is then changed.
        """
        node = self.editedNode(caseName)
        if node is None:
            raise RunError(_("Case '{case}' is not being edited. Press Edit first.").format(case=caseName))
        _run, dataset = self._opened()
        names = [structure.name for structure in dataset.structures]
        _requireKnownSegments(node, names)
        labels = snapshotOfSegments(node, names).labelsOn(self._labels(caseName).given)
        if not sitk.GetArrayViewFromImage(labels).any():
            raise RunError(
                _(
                    "The edited label of case '{case}' is empty or lies outside the volume. Draw it, or undo the erasing."
                ).format(case=caseName)
            )
        self._decide(caseName, Choice.EDIT, labels)
        _closeInSegmentEditor(node)
        removeNode(node)

    def withdraw(self, caseName: str) -> None:
        """Forget the decision about a case; its row gets back what it had before, as long as the module was not reloaded.

        Raises:
            RunError: the decisions cannot be written.
        """
        run, _dataset = self._opened()
        withdraw_decision(run, caseName)
        before = self._before.pop(caseName, None)
        if before is not None and any(row.key == before.key for row in self._table.rows):
            self._table.updateRows([before.key], label=before.label, quality=before.quality)

    def _decide(self, caseName: str, choice: Choice, labels: sitk.Image) -> None:
        run, dataset = self._opened()
        path = decide(run, caseName, choice, labels, dataset.structures)
        row = self._rowOf(find_case(dataset, caseName))
        if row is not None:
            self._before.setdefault(caseName, row)
            keepsLabel = choice is Choice.KEEP and row.label is not None
            label = row.label if keepsLabel else Source.ofFile(path)
            self._table.updateRows([row.key], label=label, quality=LabelQuality.HQA)

    def _labels(self, caseName: str) -> ReviewLabels:
        if self._shown is not None and self._shown[0] == caseName:
            return self._shown[1]
        run, dataset = self._opened()
        return readReviewLabels(run, dataset, self._reviewed(caseName))

    def _reviewed(self, caseName: str) -> ReviewedCase:
        for reviewed in self.cases():
            if reviewed.case == caseName:
                return reviewed
        raise RunError(_("The label review has no case '{case}'.").format(case=caseName))

    def _opened(self) -> tuple[RunFolder, Dataset]:
        if self._run is None:
            raise RunError(_("There is no run to review. Train first, or choose the folder of a run."))
        if self._dataset is None:
            self._dataset = load_dataset(self._run.dataset_file)
        return self._run, self._dataset

    def _rowOf(self, case: Case) -> CaseRow | None:
        run, _dataset = self._opened()
        return rowOfCase(self._table, run.path, case)


def _closeInSegmentEditor(segmentation: vtk.vtkObject) -> None:
    """Let the Segment Editor go of a segmentation before it is removed."""
    node = slicer.mrmlScene.GetSingletonNode(_SEGMENT_EDITOR, "vtkMRMLSegmentEditorNode")
    if node is not None and node.GetSegmentationNode() is segmentation:
        node.SetAndObserveSegmentationNode(None)


def _openInSegmentEditor(segmentation: vtk.vtkObject, volume: vtk.vtkObject) -> None:
    slicer.util.selectModule(_SEGMENT_EDITOR)
    node = slicer.mrmlScene.GetSingletonNode(_SEGMENT_EDITOR, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(_SEGMENT_EDITOR)
        node = slicer.mrmlScene.AddNode(node)
    node.SetAndObserveSegmentationNode(segmentation)
    node.SetAndObserveSourceVolumeNode(volume)


def _requireKnownSegments(node: vtk.vtkObject, names: Sequence[str]) -> None:
    """Refuse segments that would be lost, because the run does not know them."""
    segmentation = node.GetSegmentation()
    present = [segmentation.GetSegment(identifier).GetName() for identifier in segmentation.GetSegmentIDs()]
    known = {name.casefold() for name in names}
    unknown = [name for name in present if name.casefold() not in known]
    if unknown:
        raise RunError(
            _(
                "The run has no segment {unknown}, only {known}. Rename it, or move what you drew into one of these."
            ).format(unknown=", ".join(unknown), known=", ".join(names))
        )
