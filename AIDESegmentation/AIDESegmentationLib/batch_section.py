"""The panel's batch: a list of patients, and where their segmentations go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from AIDELib.errors import AIDEError, SettingsError
from AIDESegmentationLib.batch_cases import BatchCase, casesOfFolder, casesOfScene
from AIDESegmentationLib.examination import Examination, uniqueNames
from AIDESegmentationLib.segmentation_files import besideExistingFiles, segmentationFiles
from AIDESlicer.error_display import errorsShown, showingErrors
from AIDESlicer.worker_thread import WorkerThread


class BatchSection:
    """Lists what can be segmented in one go.

    Args:
        ui: the panel's widgets.
        channelsOfModel: returns the channels of the chosen model; empty for none.
        onStart: called with the examinations that the user wants segmented.
        onFolders: called when another folder was chosen.
    """

    def __init__(
        self,
        ui: Any,
        channelsOfModel: Callable[[], Sequence[str]],
        onStart: Callable[[Sequence[Examination]], None],
        onFolders: Callable[[], None],
    ) -> None:
        self._ui = ui
        self._channelsOfModel = channelsOfModel
        self._onStart = onStart
        self._cases: list[BatchCase] = []
        self._listed: tuple[str | None, tuple[str, ...]] = (None, ())
        self._thread: WorkerThread | None = None
        ui.batchFromFolderCheckBox.toggled.connect(self._onSourceChanged)
        ui.batchToFolderCheckBox.toggled.connect(self._enableFolders)
        # An emptied line says no more than that its input is not valid any more.
        for signal in ("currentPathChanged(QString)", "validInputChanged(bool)"):
            for edit in (ui.batchInputFolderEdit, ui.batchOutputFolderEdit):
                edit.connect(signal, lambda _value: onFolders())
            ui.batchInputFolderEdit.connect(signal, self._onSourceChanged)
        ui.batchRefreshButton.clicked.connect(self._onSourceChanged)
        ui.batchCollapsibleButton.connect("contentsCollapsed(bool)", self._onSourceChanged)
        ui.batchButton.clicked.connect(self.onBatch)
        self._enableFolders()

    @property
    def inputFolder(self) -> str:
        """The folder with the images; "" for none."""
        return str(self._ui.batchInputFolderEdit.currentPath)

    @property
    def outputFolder(self) -> str:
        """The folder for the segmentations; "" for none."""
        return str(self._ui.batchOutputFolderEdit.currentPath)

    def showFolders(self, inputFolder: str, outputFolder: str) -> None:
        """Show other folders; for "" those that were used last stay."""
        for edit, folder in (
            (self._ui.batchInputFolderEdit, inputFolder),
            (self._ui.batchOutputFolderEdit, outputFolder),
        ):
            # The same text anew would move the cursor of somebody who is typing to its end.
            if folder and folder != edit.currentPath:
                edit.setCurrentPath(folder)

    def refresh(self) -> None:
        """List the patients again: those of the scene at once, those of a folder when a thread has looked through it."""
        self._enableFolders()
        self.abandon()
        channels = tuple(self._channelsOfModel())
        if not self._ui.batchFromFolderCheckBox.checked:
            self._list(casesOfScene(channels) if channels else [], channels, None)
        elif not channels or not self.inputFolder:
            self._list([], channels, None)
        else:
            self._lookThrough(self.inputFolder, channels)

    def abandon(self) -> None:
        """Look through no folder any more."""
        if self._thread is not None:
            self._thread.abandon()
            self._thread = None

    def examinations(self) -> list[Examination]:
        """Return what the ticked rows stand for.

        Raises:
            SettingsError: the folder for the segmentations is not chosen.
        """
        ticked = [
            case
            for row, case in enumerate(self._cases)
            if self._ui.batchTable.item(row, 0).checkState() == qt.Qt.Checked
        ]
        toFolder = self._ui.batchToFolderCheckBox.checked
        if toFolder and not self.outputFolder:
            raise SettingsError(_("Choose the folder for the segmentations."))
        probabilities = self._ui.probabilitiesCheckBox.checked
        plain = [Examination(case.name, case.images, probabilities=probabilities) for case in ticked]
        if not toFolder:
            return plain
        names = uniqueNames(plain)
        return [
            replace(one, name=name, output=file, inScene=False)
            for one, name, file in zip(plain, names, segmentationFiles(names, Path(self.outputFolder)), strict=True)
        ]

    @showingErrors
    def onBatch(self, *_arguments: Any) -> None:
        """Segment all ticked rows; where files exist already, the user decides about them first."""
        examinations = self.examinations()
        existing = [one.output for one in examinations if one.output is not None and one.output.exists()]
        if existing:
            answer = _askAboutFiles(existing)
            if answer == qt.QMessageBox.No:
                examinations = besideExistingFiles(examinations)
            elif answer != qt.QMessageBox.Yes:
                return
        self._onStart(examinations)

    def _onSourceChanged(self, *_arguments: Any) -> None:
        self._enableFolders()
        self.refreshIfShown()

    def refreshIfShown(self) -> None:
        """List the patients again where the list is unfolded."""
        if not self._ui.batchCollapsibleButton.collapsed:
            self.refresh()

    def _lookThrough(self, folder: str, channels: tuple[str, ...]) -> None:
        if self._listed != (folder, channels):
            # What another folder holds is not to be segmented by mistake.
            self._showNotice(_("Looking through the folder …"))
        self._thread = WorkerThread(
            lambda: casesOfFolder(Path(folder), channels),
            lambda cases: self._list(cases, channels, folder),
            self._onUnusable,
        )
        self._thread.start()

    def _list(self, cases: list[BatchCase], channels: tuple[str, ...], folder: str | None) -> None:
        self._thread = None
        unticked = self._untickedNames()
        self._cases = cases
        self._showCases(channels)
        self._untick(unticked)
        self._listed = (folder, channels)
        self._ui.batchTable.toolTip = _("The images to segment, one row per patient. Untick what is not wanted.")

    def _onUnusable(self, error: Exception) -> None:
        self._thread = None
        self._ui.batchTable.toolTip = str(error)
        # The user may still be typing the folder, so that no message box gets in the way.
        self._showNotice(str(error))
        if not isinstance(error, AIDEError):
            with errorsShown():
                raise error

    def _untickedNames(self) -> set[str]:
        return {
            case.name
            for row, case in enumerate(self._cases)
            if self._ui.batchTable.item(row, 0).checkState() == qt.Qt.Unchecked
        }

    def _untick(self, names: set[str]) -> None:
        for row, case in enumerate(self._cases):
            if case.name in names:
                self._ui.batchTable.item(row, 0).setCheckState(qt.Qt.Unchecked)

    def _enableFolders(self, *_arguments: Any) -> None:
        self._ui.batchInputFolderEdit.enabled = self._ui.batchFromFolderCheckBox.checked
        self._ui.batchOutputFolderEdit.enabled = self._ui.batchToFolderCheckBox.checked

    def _showCases(self, channels: Sequence[str]) -> None:
        table = self._ui.batchTable
        table.setColumnCount(1 + (len(channels) if len(channels) > 1 else 0))
        table.setHorizontalHeaderLabels([_("Patient"), *(channels if len(channels) > 1 else ())])
        table.verticalHeader().setVisible(False)
        table.setRowCount(len(self._cases))
        for row, case in enumerate(self._cases):
            item = qt.QTableWidgetItem(case.name)
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
            item.setCheckState(qt.Qt.Checked if case.isComplete else qt.Qt.Unchecked)
            table.setItem(row, 0, item)
            for column, image in enumerate(case.images if len(channels) > 1 else (), start=1):
                table.setItem(row, column, qt.QTableWidgetItem(_imageName(image)))
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        if not channels:
            self._showNotice(_("Choose a model first."))
        elif not self._cases:
            self._showNotice(_("No images found."))
        self._ui.batchButton.enabled = bool(self._cases)

    def _showNotice(self, text: str) -> None:
        table = self._ui.batchTable
        self._cases = []
        self._listed = (None, ())
        table.setColumnCount(1)
        table.setHorizontalHeaderLabels([_("Patient")])
        table.setRowCount(1)
        item = qt.QTableWidgetItem(text)
        item.setFlags(qt.Qt.NoItemFlags)
        table.setItem(0, 0, item)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        self._ui.batchButton.enabled = False


def _imageName(image: Any) -> str:
    if image is None:
        return _("missing")
    return image.name if isinstance(image, Path) else image.GetName()


def _askAboutFiles(existing: Sequence[Path]) -> int:
    """Return Yes to write over files, No to keep them and number the new ones; anything else means neither."""
    question = _(
        "{folder} already holds {count} of these segmentations, {name} for one. Write over them? Press No to keep them and "
        "give the new ones numbered names."
    ).format(folder=existing[0].parent, count=len(existing), name=existing[0].name)
    return slicer.util.messageBox(
        question,
        windowTitle=_("Segment all"),
        icon=qt.QMessageBox.Question,
        standardButtons=qt.QMessageBox.Yes | qt.QMessageBox.No | qt.QMessageBox.Cancel,
    )
