"""What is new in a job's folder since the last look."""

from __future__ import annotations

import json
import time
from typing import Any

from AIDELib.errors import AIDEError
from AIDELib.watched_folder import Status, WatchedFolder
from AIDESlicer.background_process import LOG_NAME, BackgroundProcess

# A state written this recently comes from a process that runs, be it on another machine.
FRESH_SECONDS = 30.0
ACTIVE = (Status.RUNNING.value, Status.PAUSED.value)


class FolderReader:
    """A job's events, state and process, read without waiting for the job.

    Args:
        folder: a run or a prediction job.
        process: the one that does the job, where this Slicer started it; otherwise the one that the state names.
    """

    def __init__(self, folder: WatchedFolder, process: BackgroundProcess | None = None) -> None:
        self._folder = folder
        self._process = process
        self._offset = 0

    def newEvents(self) -> list[dict[str, Any]]:
        """Return the events whose lines were completed since the last call."""
        try:
            with self._folder.progress_file.open("rb") as file:
                if file.seek(0, 2) < self._offset:
                    # Another job began in the same folder.
                    self._offset = 0
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        complete = data[: data.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [event for line in complete.splitlines() if (event := _parsed(line)) is not None]

    def state(self) -> dict[str, Any]:
        """Return the job's state; {} where it cannot be read at this moment, because it is just being replaced."""
        try:
            return self._folder.read_state()
        except (OSError, ValueError, AIDEError):
            return {}

    def process(self) -> BackgroundProcess | None:
        """Return the process that does the job; None where none is known."""
        if self._process is not None:
            return self._process
        pid = self.state().get("process")
        return BackgroundProcess(int(pid), self._folder.path / LOG_NAME) if pid else None

    def isAbandoned(self) -> bool:
        """Return whether the process has ended without an end of the job: killed, crashed, or never properly started."""
        process = self.process()
        # Looked up before the state, so that the process cannot end properly in between.
        alive = process is not None and process.isAlive()
        state = self.state()
        if alive or not state:
            return False
        if self._process is not None:
            return state["status"] in (*ACTIVE, Status.PREPARED.value)
        return state["status"] in ACTIVE and time.time() - state.get("updated", 0.0) > FRESH_SECONDS


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        # The end of a killed process's last line, continued by the next one's first.
        return None
