"""A folder in which a process tells others how far it is, and takes their requests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import remove_unfinished, write_text_atomically
from AIDELib.errors import RunError
from AIDELib.folder_lock import FolderLock, is_locked
from AIDELib.json_document import DocumentError, parse_json_object
from AIDELib.sealed_document import is_there, read_sealed, write_sealed


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
    - `lock.json`: which process works in the folder.
    - `spare/`: copies of documents, used where one is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress_file = path / "progress.jsonl"
        self.state_file = path / "state.json"
        self.request_folder = path / "requests"
        self.lock_file = path / "lock.json"

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Keep other processes from working in the folder meanwhile, and clear away what killed ones left unfinished.

        Raises:
            RunError: another process works in it already, or it cannot be written.
        """
        with FolderLock(self.lock_file):
            remove_unfinished(self.path)
            yield

    def is_occupied(self) -> bool:
        """Return whether a process of this machine works in the folder; a job "running" without one was interrupted."""
        return is_locked(self.lock_file)

    def append_event(self, event: dict[str, Any]) -> None:
        """Add one event, with the time, to the progress file."""
        line = json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False)
        with self.progress_file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield all complete events; a line that is still being written is left out."""
        if not self.progress_file.exists():
            return
        with self.progress_file.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    try:
                        event = parse_json_object(line)
                    except DocumentError:
                        # The end of a killed process's last line, continued by the next one's first.
                        continue
                    if isinstance(event.get("event"), str):
                        yield event

    def write_state(self, status: Status, **details: Any) -> None:
        """Replace the state."""
        document = {"status": status.value, "updated": round(time.time(), 3), "process": os.getpid(), **details}
        write_sealed(self.state_file, document)

    def read_state(self) -> dict[str, Any]:
        """Return the state; {"status": "prepared"} before the first one is written.

        Raises:
            RunError: it is damaged, and so is its spare copy.
        """
        if not is_there(self.state_file):
            return {"status": Status.PREPARED.value}
        try:
            state = read_sealed(self.state_file)
            return state | {"status": Status(state["status"]).value}
        except (DocumentError, OSError, KeyError, ValueError) as error:
            raise RunError(f"{self.state_file} cannot be used: {error}.") from None

    def ask(self, request: Request) -> None:
        """Ask something of the run."""
        write_text_atomically(self.request_folder / request.value, "")

    def withdraw(self, request: Request) -> None:
        """Take a request back."""
        (self.request_folder / request.value).unlink(missing_ok=True)

    def is_asked(self, request: Request) -> bool:
        """Return whether a request is pending."""
        return (self.request_folder / request.value).exists()
