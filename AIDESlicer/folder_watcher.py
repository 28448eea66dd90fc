"""Watching a job's folder from Slicer's main thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from AIDELib.watched_folder import WatchedFolder
from AIDESlicer.background_process import BackgroundProcess
from AIDESlicer.error_display import errorsShown
from AIDESlicer.folder_reader import ACTIVE, FolderReader

INTERVAL_MS = 500


class FolderWatcher:
    """Looks into a job's folder twice a second and calls back on the main thread, until the job has ended.

    Args:
        folder: a run or a prediction job.
        onEvent: called with each event, in order; those written before the watch began come first.
        onState: called with the state whenever it has changed.
        onDeath: called once with a sentence for the user where the process ended without an end of the job.
        process: the one that does the job, where this Slicer started it.
    """

    def __init__(
        self,
        folder: WatchedFolder,
        onEvent: Callable[[dict[str, Any]], None],
        onState: Callable[[dict[str, Any]], None],
        onDeath: Callable[[str], None],
        process: BackgroundProcess | None = None,
    ) -> None:
        self.folder = folder
        self.reader = FolderReader(folder, process)
        self._onEvent = onEvent
        self._onState = onState
        self._onDeath = onDeath
        self._lastState: dict[str, Any] = {}
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def isRunning(self) -> bool:
        """Whether it still looks."""
        return self._timer.isActive()

    def start(self) -> None:
        """Begin to look."""
        self._timer.start()

    def stop(self) -> None:
        """Look no more, and forget whom to tell. The job goes on."""
        self._timer.stop()
        # The timer's connection, and with it this object, stays for as long as Slicer runs; a job's images must not.
        self._onEvent = self._onState = self._onDeath = lambda _news: None

    def poll(self) -> None:
        """Look once."""
        # Whatever goes wrong in a callback is shown once instead of twice a second.
        with errorsShown(onError=self.stop):
            self._look()

    def _look(self) -> None:
        abandoned = self.reader.isAbandoned()
        # The state first: what follows it in the events has then been read at the latest with the next state.
        state = self.reader.state()
        onState, onDeath = self._onState, self._onDeath
        for event in self.reader.newEvents():
            self._onEvent(event)
        if not state:
            return
        ended = state["status"] not in (*ACTIVE, "prepared")
        if ended or abandoned:
            self.stop()
        if state != self._lastState:
            self._lastState = state
            onState(state)
        if abandoned:
            onDeath(self._deathNotice())

    def _deathNotice(self) -> str:
        process = self.reader.process()
        words = process.lastWords() if process else ""
        notice = _("The background process ended unexpectedly; it was closed by the system or by hand, or it crashed.")
        if words:
            notice += " " + _("Its last message: {message}").format(message=words)
        if process:
            notice += " " + _("Its log: {file}").format(file=process.log)
        return notice
