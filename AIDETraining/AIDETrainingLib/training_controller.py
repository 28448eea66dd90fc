"""Runs prepared, started and steered; what they are doing is read from their folder alone."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from AIDELib.case import Split
from AIDELib.errors import RunError
from AIDELib.method_name import MethodName
from AIDELib.presets import preset
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run, require_trainable
from AIDELib.settings import Settings
from AIDELib.watched_folder import Request, Status
from AIDESlicer.background_process import LOG_NAME, BackgroundProcess, startProcess
from AIDESlicer.folder_reader import ACTIVE, FRESH_SECONDS
from AIDETrainingLib.case_rows import recordRows
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.dataset_export import exportDataset
from AIDETrainingLib.dataset_of_table import plannedDataset
from AIDETrainingLib.new_folder import newFolder
from AIDETrainingLib.run_view import ACTIVE_PHASES, RESUMABLE_PHASES, RunPhase, RunView, viewOf
from AIDETrainingLib.stepwise import Steps

_LAST_RUN_KEY = "AIDETraining/LastRunFolder"


class TrainingController:
    """One run at a time: the one whose folder is shown."""

    def __init__(self) -> None:
        self._started: dict[Path, _Start] = {}
        self._lastStates: dict[Path, dict[str, Any]] = {}

    def settings(self, presetName: str, changes: dict[str, Any]) -> Settings:
        """Return a preset with changes.

        Raises:
            SettingsError: there is no such preset or setting, or a value cannot be used.
        """
        return preset(presetName).replace(**changes)

    def prepare(self, table: CaseTable, folder: Path, settings: Settings, compareWithBaseline: bool) -> Steps[str]:
        """Write the dataset and the description of a new run. A failure leaves nothing behind.

        Returns (when all steps are done):
            the sentence that says what the training will do.

        Raises:
            AIDEError: the table cannot be trained on, or the folder cannot be used.
        """
        # The table may be edited while its images are being written.
        table = table.copy()
        planned = plannedDataset(table)
        measurable = any(case.label for case in planned.select(Split.TEST))
        baseline = MethodName.CONVENTIONAL if compareWithBaseline else None
        description = RunDescription(MethodName.AIDE, settings, None, baseline, measurable)
        # Whatever can be known to be wrong is said before hundreds of images are written.
        require_trainable(planned, description)
        with newFolder(folder):
            dataset = yield from exportDataset(table, folder)
            statement = prepare_run(dataset, RunFolder(folder), description).statement
            recordRows(table, folder)
            return statement

    def start(self, folder: Path, device: str, moreEpochs: int = 0) -> None:
        """Start the background process of a prepared run, or go on with one.

        Args:
            device: a name from the list of devices, or auto.
            moreEpochs: epochs to add to the run.

        Raises:
            RunError: the folder holds no run, it is being trained already, or the process cannot be started.
        """
        run = RunFolder(folder)
        run.read_description()
        if self.view(folder).phase in ACTIVE_PHASES:
            raise RunError(_("The run {folder} is being trained already.").format(folder=folder))
        # A prepared run is resumed from its very beginning.
        arguments = ["train", "--run", str(folder), "--resume", "--device", device]
        if moreEpochs:
            arguments += ["--more-epochs", str(moreEpochs)]
        run.withdraw(Request.STOP)
        run.withdraw(Request.PAUSE)
        begun = time.time()
        self._started[folder] = _Start(startProcess(arguments, folder / LOG_NAME), begun)
        rememberRun(folder)

    def pause(self, folder: Path) -> None:
        """Ask a run to pause; it does within a batch."""
        RunFolder(folder).ask(Request.PAUSE)

    def resume(self, folder: Path, device: str) -> None:
        """Go on with a paused run, or start one again that was stopped, failed or ended unexpectedly.

        Raises:
            RunError: there is nothing to resume.
        """
        phase = self.view(folder).phase
        if phase is RunPhase.PAUSED:
            RunFolder(folder).withdraw(Request.PAUSE)
        elif phase in RESUMABLE_PHASES:
            self.start(folder, device)
        else:
            raise RunError(
                _("The run {folder} is not interrupted, so there is nothing to resume.").format(folder=folder)
            )

    def stop(self, folder: Path) -> None:
        """Ask a run to stop; the epoch begun is lost, finished ones are kept."""
        RunFolder(folder).ask(Request.STOP)

    def view(self, folder: Path) -> RunView:
        """Return where a run stands."""
        run = RunFolder(folder)
        if not run.description_file.is_file():
            return RunView(RunPhase.NONE, _("No training yet."))
        state = self._readState(run)
        mine = self._started.get(folder)
        if mine is not None and mine.precedes(state):
            # A process just started needs a while before it writes a state of its own.
            if mine.process.isAlive():
                return RunView(RunPhase.STARTING, _("Starting. The first start takes a little longer."))
            state = self._readState(run)
            if mine.precedes(state):
                return RunView(RunPhase.FAILED, mine.process.lastWords() or _("The training could not be started."))
        process = BackgroundProcess(int(state.get("process") or 0), folder / LOG_NAME)
        # The system's table is asked only where it matters: on macOS that starts a program each time.
        alive = state["status"] in ACTIVE and ((mine is not None and mine.process.isAlive()) or process.isAlive())
        if state["status"] in ACTIVE and not alive:
            # It may have ended in good order since its state was read.
            state = self._readState(run)
            alive = mine is None and time.time() - state.get("updated", 0.0) < FRESH_SECONDS
        return viewOf(state, alive, "" if alive else process.lastWords())

    def _readState(self, run: RunFolder) -> dict[str, Any]:
        """Return the state, the one before where it cannot be read at this moment."""
        try:
            self._lastStates[run.path] = run.read_state()
        except RunError as error:
            return self._lastStates.get(run.path, {"status": Status.FAILED.value, "message": str(error)})
        return self._lastStates[run.path]


@dataclass(frozen=True)
class _Start:
    """A process and the moment at which it was started, in seconds since 1970.

    The number of the process says nothing about whose state it is: PythonSlicer starts the Python that trains as a
    process of its own and waits for it.
    """

    process: BackgroundProcess
    begun: float

    def precedes(self, state: dict[str, Any]) -> bool:
        """Return whether a state is older than this start."""
        return state.get("updated", 0.0) < self.begun


def newRunFolder() -> Path:
    """Return a folder for a new run that does not exist yet, in the documents of the user."""
    documents = qt.QStandardPaths.writableLocation(qt.QStandardPaths.DocumentsLocation) or str(Path.home())
    base = Path(documents) / "AIDE"
    today = datetime.date.today().isoformat()
    number = 1
    while (base / f"run {today} {number}").exists():
        number += 1
    return base / f"run {today} {number}"


def rememberRun(folder: Path) -> None:
    """Remember a run beyond the end of the application."""
    slicer.app.userSettings().setValue(_LAST_RUN_KEY, str(folder))


def rememberedRun() -> Path | None:
    """Return the run that was last started, if its folder is still there."""
    text = slicer.app.userSettings().value(_LAST_RUN_KEY)
    folder = Path(str(text)) if text else None
    return folder if folder is not None and (folder / "run.json").is_file() else None
