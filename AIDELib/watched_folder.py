"""A folder in which a process tells others how far it is, and takes their requests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import write_text_atomically


class Status(str, Enum):
    """Where a job stands."""

    PREPARED = "prepared"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


class Request(str, Enum):
    """What those who watch a job can ask of it."""

    PAUSE = "pause"
    STOP = "stop"


class WatchedFolder:
    """The files by which a job is watched.

    - `progress.jsonl`: one JSON object per event, appended.
    - `state.json`: where the job stands, replaced as a whole: "status", "updated" (seconds since 1970), "process" (id),
      "message", and while it runs "stage", "share" (0 to 1) and "seconds_left".
    - `requests/pause`, `requests/stop`: what is asked of the job.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress_file = path / "progress.jsonl"
        self.state_file = path / "state.json"
        self.request_folder = path / "requests"

    def append_event(self, event: dict[str, Any]) -> None:
        """Add one event, with the time, to the progress file."""
        line = json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False)
        with self.progress_file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield all complete events; a line that is still being written is left out."""
        if not self.progress_file.exists():
            return
        for line in self.progress_file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    # The end of a killed process's last line, continued by the next one's first.
                    continue

    def write_state(self, status: Status, **details: Any) -> None:
        """Replace the state."""
        document = {"status": status.value, "updated": round(time.time(), 3), "process": os.getpid(), **details}
        write_text_atomically(self.state_file, json.dumps(document, ensure_ascii=False) + "\n")

    def read_state(self) -> dict[str, Any]:
        """Return the state; {"status": "prepared"} before the first one is written."""
        if not self.state_file.exists():
            return {"status": Status.PREPARED.value}
        return json.loads(self.state_file.read_text(encoding="utf-8"))

    def ask(self, request: Request) -> None:
        """Ask something of the run."""
        write_text_atomically(self.request_folder / request.value, "")

    def withdraw(self, request: Request) -> None:
        """Take a request back."""
        (self.request_folder / request.value).unlink(missing_ok=True)

    def is_asked(self, request: Request) -> bool:
        """Return whether a request is pending."""
        return (self.request_folder / request.value).exists()
