"""Section 2 of the panel: the training."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split
from AIDELib.errors import AIDEError
from AIDELib.presets import PRESETS, preset
from AIDELib.run_folder import RunFolder
from AIDESlicer.dependencies import ensureDependencies
from AIDESlicer.error_display import errorsShown, showingErrors
from AIDESlicer.folder_reader import FolderReader
from AIDETrainingLib.dataset_of_table import trainingStatement
from AIDETrainingLib.device_list import DeviceList
from AIDETrainingLib.run_log import logLine
from AIDETrainingLib.run_view import ACTIVE_PHASES, RESUMABLE_PHASES, RunPhase, RunView
from AIDETrainingLib.settings_form import SettingsForm
from AIDETrainingLib.stepwise import Step, StepRunner
from AIDETrainingLib.training_controller import newRunFolder

INTERVAL_MS = 500


class TrainingSection:
    """Starts, steers and shows one run.

    Args:
        ui: the widgets of TrainingSection.ui.
        logic: the module's logic.
        onRunChanged: called when another run is shown, or when the shown one wrote something new.
    """

    def __init__(self, ui: Any, logic: Any, onRunChanged: Callable[[], None]) -> None:
        self._ui = ui
        self._logic = logic
        self._onRunChanged = onRunChanged
        self._parameters: Any = None
        self._runner: StepRunner | None = None
        self._reader: FolderReader | None = None
        self._events: list[dict[str, Any]] = []
        self._shownView: RunView | None = None
        self._notice = ""
        self._isLooking = False
        self._shownChoices: tuple[str, ...] = ()
        for name in PRESETS:
            ui.presetBox.addItem(_presetWords(name), name)
        self.devices = DeviceList(ui.deviceBox)
        self.settings = SettingsForm(ui.advancedScrollArea, self._onSettings)
        ui.runFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        self._connect()
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.connect("timeout()", self._look)

    def setParameters(self, parameters: Any) -> None:
        """Show the choices in a parameter node; None while there is no scene."""
        self.cancel()
        self._parameters = parameters
        self._forgetRun()
        if parameters is None:
            self._timer.stop()
            return
        self.refreshChoices()
        self._watch()

    def refreshChoices(self) -> None:
        """Show the choices as they are now in the parameter node."""
        parameters = self._parameters
        self._shownChoices = self._choices()
        self._ui.presetBox.setCurrentIndex(max(0, self._ui.presetBox.findData(parameters.preset)))
        self.devices.select(parameters.device)
        self.settings.show(preset(parameters.preset), json.loads(parameters.changedSettings))
        if self._ui.runFolderEdit.currentPath != parameters.runFolder:
            self._ui.runFolderEdit.setCurrentPath(parameters.runFolder)

    def followChoices(self) -> None:
        """Show choices that a script made, and the run that it chose."""
        if self._parameters is None or self._choices() == self._shownChoices:
            return
        self.refreshChoices()
        self._forgetRun()
        self._watch()

    def _choices(self) -> tuple[str, ...]:
        own = self._parameters
        return own.preset, own.device, own.changedSettings, own.runFolder

    def refreshStatement(self) -> None:
        """Say what a training on the table as it is now will do."""
        try:
            text = self._statement()
        except AIDEError as error:
            text = str(error)
        self._ui.statementLabel.setText(text)
        self._showButtons()

    def _statement(self) -> str:
        table = self._logic.table
        if not table.rows:
            return _("Add cases first.")
        text = trainingStatement(table)
        if not any(row.split is Split.TEST and row.quality is not LabelQuality.UNLABELLED for row in table.rows):
            text += " " + _("There are no test cases, so the model will not be measured or compared.")
        return text

    @property
    def busy(self) -> bool:
        """Whether a run is being prepared."""
        return self._runner is not None and self._runner.running

    def stopWatching(self) -> None:
        """Look at the run no more; it goes on."""
        self._timer.stop()
        self.devices.abandon()

    def lookAgain(self) -> None:
        """Look at the run at once."""
        self._shownView = None
        self._watch()

    def _watch(self) -> None:
        self._timer.start()
        self._look()

    def cancel(self) -> None:
        """Stop preparing a run; what was written for it is removed."""
        if self.busy:
            self._runner.cancel()
            self._ui.cancelExportButton.setVisible(False)
            self._notice = _("Cancelled. Nothing was started.")
            self._shownView = None

    def _connect(self) -> None:
        ui = self._ui
        ui.presetBox.connect("activated(int)", self._onPreset)
        ui.deviceBox.connect("activated(int)", self._onDevice)
        ui.refreshDevicesButton.connect("clicked()", self.devices.refresh)
        ui.resetSettingsButton.connect("clicked()", self._onResetSettings)
        ui.runFolderEdit.connect("currentPathChanged(QString)", self._onRunFolder)
        ui.newRunButton.connect("clicked()", self._onNewRun)
        ui.startButton.connect("clicked()", self._onStart)
        ui.pauseButton.connect("clicked()", self._onPause)
        ui.stopButton.connect("clicked()", self._onStop)
        ui.resumeButton.connect("clicked()", self._onResume)
        ui.cancelExportButton.connect("clicked()", self._onCancel)
        ui.plotDiceButton.connect("clicked()", lambda: self._logic.plots.showInLayout("Dice"))
        ui.plotLossButton.connect("clicked()", lambda: self._logic.plots.showInLayout("loss"))

    # Choices

    def _onPreset(self, index: int) -> None:
        self._parameters.preset = self._ui.presetBox.itemData(index)
        self._parameters.changedSettings = "{}"
        self.refreshChoices()

    def _onDevice(self, index: int) -> None:
        self._parameters.device = self._ui.deviceBox.itemData(index)
        self._shownChoices = self._choices()
        self.devices.select(self._parameters.device)

    def _onSettings(self, changes: dict[str, Any]) -> None:
        self._parameters.changedSettings = json.dumps(changes)
        self._shownChoices = self._choices()

    def _onResetSettings(self) -> None:
        self._parameters.changedSettings = "{}"
        self.refreshChoices()

    def _onRunFolder(self, path: str) -> None:
        if self._parameters is not None and path != self._parameters.runFolder:
            self._parameters.runFolder = str(path)
            self._shownChoices = self._choices()
            self._forgetRun()
            self._watch()

    def _onNewRun(self) -> None:
        self._ui.runFolderEdit.setCurrentPath(str(newRunFolder()))

    # Steering

    @showingErrors
    def _onStart(self) -> None:
        # A run is never written over: a new training gets a new folder.
        if not self._parameters.runFolder or self._logic.run() is not None:
            self._onNewRun()
        self._ensureDependencies()
        self._notice = ""
        self._ui.cancelExportButton.setVisible(True)
        self._runner = StepRunner(self._logic.prepareSteps(), self._onStep, self._onPrepared, self._onPrepareError)
        self._showButtons()

    def _ensureDependencies(self) -> None:
        ensureDependencies(_("AIDE Training"))
        # Without the packages nothing could say what there is to compute on.
        self.devices.refreshOnce()

    @showingErrors
    def _onPause(self) -> None:
        self._logic.pauseTraining()
        self._ui.pauseButton.setEnabled(False)

    @showingErrors
    def _onStop(self) -> None:
        self._logic.stopTraining()
        self._ui.stopButton.setEnabled(False)

    @showingErrors
    def _onResume(self) -> None:
        self._ensureDependencies()
        self._logic.resumeTraining()
        self._watch()

    def _onCancel(self) -> None:
        self.cancel()
        self._look()

    def _onStep(self, step: Step) -> None:
        self._ui.progressBar.setValue(round(100 * step.share))
        self._ui.stateLabel.setText(step.text)

    def _onPrepared(self, statement: str) -> None:
        self._ui.cancelExportButton.setVisible(False)
        with errorsShown():
            self._logic.startPrepared()
        self._forgetRun()
        self._watch()

    def _onPrepareError(self, error: Exception) -> None:
        self._ui.cancelExportButton.setVisible(False)
        self._notice = str(error)
        self._shownView = None
        self._look()
        with errorsShown():
            raise error

    # Watching

    def _forgetRun(self) -> None:
        self._reader = None
        self._events = []
        self._shownView = None
        self._ui.logEdit.clear()

    def _look(self) -> None:
        # Timers go on behind a message box; without this, boxes would pile up.
        if self.busy or self._parameters is None or self._isLooking:
            return
        self._isLooking = True
        try:
            # Whatever goes wrong is shown once instead of twice a second.
            with errorsShown(onError=self._timer.stop):
                self._showNews()
        finally:
            self._isLooking = False

    def _showNews(self) -> None:
        view = self._logic.runView()
        events = self._newEvents() if view.phase is not RunPhase.NONE else []
        for event in events:
            self._ui.logEdit.appendPlainText(logLine(event))
        if any(event.get("event") == "epoch" for event in events):
            self._logic.plots.show(self._events)
        if view != self._shownView or events:
            self._shownView = view
            self._show(view)
            self._onRunChanged()

    def _newEvents(self) -> list[dict[str, Any]]:
        if self._reader is None:
            self._reader = FolderReader(RunFolder(self._logic.runFolder()))
        events = self._reader.newEvents()
        self._events += events
        return events

    def _show(self, view: RunView) -> None:
        self._ui.progressBar.setValue(round(100 * view.share))
        self._ui.stateLabel.setText(f"{self._notice} {view.text}".strip() if view.phase is RunPhase.NONE else view.text)
        self._showButtons()

    def _showButtons(self) -> None:
        phase = RunPhase.NONE if self._shownView is None else self._shownView.phase
        ui, busy = self._ui, self.busy
        ui.startButton.setEnabled(phase not in ACTIVE_PHASES and not busy and bool(self._logic.table.rows))
        ui.pauseButton.setEnabled(phase is RunPhase.RUNNING)
        ui.stopButton.setEnabled(phase in (RunPhase.RUNNING, RunPhase.PAUSED))
        ui.resumeButton.setEnabled(phase is RunPhase.PAUSED or phase in RESUMABLE_PHASES)
        for widget in (ui.runFolderEdit, ui.newRunButton):
            widget.setEnabled(not busy)
        for widget in (ui.presetBox, ui.baselineCheckBox, ui.advancedScrollArea, ui.resetSettingsButton):
            widget.setEnabled(phase not in ACTIVE_PHASES and not busy)
        plotted = any(event.get("event") == "epoch" and event.get("stage") == "training" for event in self._events)
        ui.plotDiceButton.setEnabled(plotted)
        ui.plotLossButton.setEnabled(plotted)


def _presetWords(name: str) -> str:
    words = {
        "quick": _("Quick: a first look within minutes"),
        "standard": _("Standard: for real use"),
        "paper": _("Paper: the published method's values, slow"),
    }
    return words.get(name, name)
