"""The run folder: everything that a training leaves behind, and the only thing that those who watch it look at."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from AIDELib import __version__
from AIDELib.atomic_file import write_text_atomically
from AIDELib.errors import RunError, SettingsError
from AIDELib.settings import Settings
from AIDELib.standardization import Task

FORMAT = "aide-run/1"


class RunStatus(str, Enum):
    """Where a run stands."""

    PREPARED = "prepared"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


class Request(str, Enum):
    """What those who watch a run can ask of it."""

    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class RunDescription:
    """What a run was started with.

    Attributes:
        method: name of the training method.
        settings: all its settings.
        task: the user's own choice of the task, None to take what fits the labels.
    """

    method: str
    settings: Settings
    task: Task | None = None


class RunFolder:
    """The files of a run.

    - `run.json`: the RunDescription; `dataset.json`: the cases.
    - `progress.jsonl`: one JSON object per event, appended.
    - `state.json`: where the run stands, replaced as a whole.
    - `checkpoints/`: what a resumed run goes on from; `model.aide`: the best model so far.
    - `corrected/NETWORK/CASE.nii.gz`: labels that a network rewrote, on the grid of the case's first channel.
    - `suggested/CASE.nii.gz`: what the networks together predict for cases whose label they doubt.
    - `review.json`: the cases ranked by how far the networks disagree with their given label.
    - `requests/pause`, `requests/stop`: what is asked of the run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dataset_file = path / "dataset.json"
        self.progress_file = path / "progress.jsonl"
        self.state_file = path / "state.json"
        self.description_file = path / "run.json"
        self.checkpoint_folder = path / "checkpoints"
        self.model_file = path / "model.aide"
        self.corrected_folder = path / "corrected"
        self.suggested_folder = path / "suggested"
        self.review_file = path / "review.json"
        self.request_folder = path / "requests"

    def create(self, description: RunDescription) -> None:
        """Make the folder and write the description.

        Raises:
            RunError: the folder holds a run already or cannot be written.
        """
        if self.description_file.exists():
            raise RunError(
                f"{self.path} already holds a run. Choose another folder, or go on with it: train --run {self.path} --resume"
            )
        document = {
            "format": FORMAT,
            "version": __version__,
            "method": description.method,
            "task": description.task and description.task.value,
            "settings": description.settings.to_json(),
        }
        try:
            write_text_atomically(self.description_file, json.dumps(document, indent=1) + "\n")
        except OSError as error:
            raise RunError(f"The run folder {self.path} cannot be written: {error.strerror}.") from None

    def read_description(self) -> RunDescription:
        """Return what the run was started with.

        Raises:
            RunError: the folder holds no run, or one of another version.
        """
        if not self.description_file.exists():
            raise RunError(f"{self.path} holds no run (there is no {self.description_file.name} in it).")
        try:
            document = json.loads(self.description_file.read_text(encoding="utf-8"))
            if document["format"] != FORMAT:
                raise RunError(f"{self.description_file} has the format '{document['format']}', not '{FORMAT}'.")
            task = document["task"]
            return RunDescription(document["method"], Settings.from_json(document["settings"]), task and Task(task))
        except SettingsError as error:
            raise RunError(f"{self.description_file}: {error}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.description_file} is damaged ({error!r}).") from None

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

    def write_state(self, status: RunStatus, **details: Any) -> None:
        """Replace the state."""
        document = {"status": status.value, "updated": round(time.time(), 3), "process": os.getpid(), **details}
        write_text_atomically(self.state_file, json.dumps(document, ensure_ascii=False) + "\n")

    def read_state(self) -> dict[str, Any]:
        """Return the state; {"status": "prepared"} before the first one is written."""
        if not self.state_file.exists():
            return {"status": RunStatus.PREPARED.value}
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
