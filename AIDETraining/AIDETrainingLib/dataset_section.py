"""Section 1 of the panel: the dataset."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from AIDELib.case import LabelQuality
from AIDESlicer.error_display import errorsShown, showingErrors
from AIDETrainingLib.case_details import CaseDetails
from AIDETrainingLib.case_status import CaseStatus, Severity
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.case_table_view import CaseTableView
from AIDETrainingLib.case_words import qualityWord
from AIDETrainingLib.channels_view import ChannelsView
from AIDETrainingLib.folder_collector import collectFromFiles, collectFromPath
from AIDETrainingLib.scene_collector import Collected, collectFromScene
from AIDETrainingLib.split_suggestion import suggestSplits
from AIDETrainingLib.stepwise import Step, StepRunner
from AIDETrainingLib.structures_view import StructuresView


class DatasetSection:
    """Shows and edits the case table.

    Args:
        ui: the widgets of DatasetSection.ui.
    """

    def __init__(self, ui: Any, table: CaseTable) -> None:
        self._ui = ui
        self._table = table
        self._runner: StepRunner | None = None
        self.rows = CaseTableView(ui.casesTable, table, self._onSelection)
        self.details = CaseDetails(ui, table, self.rows.selectedKeys)
        self.channels = ChannelsView(ui, table)
        self.structures = StructuresView(ui, table)
        ui.addFromSceneButton.connect("clicked()", self._onAddFromScene)
        ui.addFolderButton.connect("clicked()", self._onAddFolder)
        ui.addFilesButton.connect("clicked()", self._onAddFiles)
        ui.addCancelButton.connect("clicked()", self.cancel)
        ui.removeButton.connect("clicked()", self._onRemove)
        ui.undoButton.connect("clicked()", self._onUndo)
        ui.suggestSplitButton.connect("clicked()", self._onSuggestSplit)
        self._note = ""

    def refresh(self) -> None:
        """Show the case table as it is now."""
        statuses = self.rows.refresh()
        self.channels.refresh()
        self.structures.refresh()
        self._onSelection()
        self._ui.summaryLabel.setText(self._summary(statuses))
        self._ui.undoButton.setEnabled(self._table.canUndoRemoval())
        self._ui.suggestSplitButton.setEnabled(bool(statuses))

    def addPath(self, path: Path) -> None:
        """Begin to add the cases of a folder or dataset.json."""
        self._showReading(True)
        self._runner = StepRunner(collectFromPath(self._table, path), self._onStep, self._onRead, self._onReadError)

    @property
    def busy(self) -> bool:
        """Whether cases are being added."""
        return self._runner is not None and self._runner.running

    def cancel(self) -> None:
        """Stop adding cases."""
        if self._runner is not None:
            self._runner.cancel()
        self._showReading(False)

    @showingErrors
    def _onAddFromScene(self) -> None:
        collected = collectFromScene(self._table)
        self._note = _sceneNote(collected)
        self.refresh()

    @showingErrors
    def _onAddFolder(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder with images and labels"))
        if folder:
            self.addPath(Path(str(folder)))

    @showingErrors
    def _onAddFiles(self) -> None:
        files = qt.QFileDialog.getOpenFileNames(slicer.util.mainWindow(), _("Image files"))
        if files:
            self._note = ""
            collectFromFiles(self._table, [Path(str(file)) for file in files])

    @showingErrors
    def _onRemove(self) -> None:
        self._note = ""
        self._table.removeRows(self.rows.selectedKeys())

    @showingErrors
    def _onUndo(self) -> None:
        self._note = ""
        self.rows.select(self._table.undoRemoval())

    @showingErrors
    def _onSuggestSplit(self) -> None:
        self._note = ""
        self._table.assignSplits(suggestSplits(self._table.rows))

    def _onSelection(self) -> None:
        self._ui.removeButton.setEnabled(bool(self.rows.selectedKeys()))
        self.details.refresh()

    def _onStep(self, step: Step) -> None:
        self._ui.addProgressBar.setValue(round(100 * step.share))
        self._ui.addProgressLabel.setText(step.text)

    def _onRead(self, keys: list[str]) -> None:
        self._showReading(False)
        self._note = _("{count} cases were added.").format(count=len(keys))
        self.refresh()

    def _onReadError(self, error: Exception) -> None:
        self._showReading(False)
        with errorsShown():
            raise error

    def _showReading(self, reading: bool) -> None:
        for widget in (self._ui.addProgressBar, self._ui.addProgressLabel, self._ui.addCancelButton):
            widget.setVisible(reading)
        for button in (self._ui.addFromSceneButton, self._ui.addFolderButton, self._ui.addFilesButton):
            button.setEnabled(not reading)
        self._ui.addProgressBar.setValue(0)

    def _summary(self, statuses: list[CaseStatus]) -> str:
        if not statuses:
            text = _(
                "No cases yet. Load images, draw or load segmentations on some of them, and press 'Add from scene'; or "
                "add a folder."
            )
            return f"{self._note} {text}".strip()
        counts = Counter(row.quality for row in self._table.rows)
        parts = [f"{counts[quality]} {qualityWord(quality)}" for quality in LabelQuality if counts[quality]]
        problems = sum(status.severity is Severity.PROBLEM for status in statuses)
        text = _("{count} cases: {parts}.").format(count=len(statuses), parts=", ".join(parts))
        if problems:
            text += " " + _("{count} need attention, see the column Status.").format(count=problems)
        return f"{text} {self._note}".strip()


def _sceneNote(collected: Collected) -> str:
    sentences = list(collected.notes)
    if collected.completed:
        count = len(collected.completed)
        sentences.insert(0, _("{count} cases got their segmentation.").format(count=count))
    if not collected.added and not collected.completed:
        sentences.insert(0, _("The scene holds no further volume."))
    return " ".join(sentences)
