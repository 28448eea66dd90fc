"""Processes that compute in the background and outlive Slicer."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

import AIDELib
from AIDELib.errors import RunError
from AIDESlicer.process_table import commandOf, endTree

# The folder that holds AIDELib, where "python -m AIDELib" finds it.
LIBRARY_FOLDER = Path(AIDELib.__file__).resolve().parent.parent
# Beside the files that the process itself writes.
LOG_NAME = "process.log"
# What a process is given to end in order before it is ended by force.
GRACE_SECONDS = 5.0

# What PythonSlicer, which starts Python and waits, adds where that was killed or crashed.
_LAUNCHERS_LINE = re.compile(r"error: \[.*\] exit abnormally")

# Children of this Slicer: the system keeps an ended child in its table until its parent asks for it.
_children: dict[int, subprocess.Popen] = {}


@dataclass(frozen=True)
class BackgroundProcess:
    """A process started by this Slicer or by an earlier one.

    Attributes:
        pid: the number that the system gave it.
        log: file with what it prints.
    """

    pid: int
    log: Path

    def isAlive(self) -> bool:
        """Return whether it still runs. A number that the system gave to another program since does not count."""
        child = _children.get(self.pid)
        if child is not None:
            return child.poll() is None
        command = commandOf(self.pid)
        return command is not None and _isOurs(command)

    def kill(self) -> None:
        """End it and all it started; returns after it has ended. Does nothing where it has ended already."""
        if not self.isAlive():
            return
        endTree(self.pid, force=False)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.isAlive() and time.monotonic() < deadline:
            time.sleep(0.05)
        endTree(self.pid, force=True)
        child = _children.get(self.pid)
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_SECONDS)

    def lastWords(self) -> str:
        """Return the sentence with which it ended, from its log; "" where there is none."""
        try:
            return lastSentence(self.log.read_bytes()[-20_000:].decode("utf-8", errors="replace"))
        except OSError:
            return ""


def startProcess(arguments: Sequence[str], log: Path) -> BackgroundProcess:
    """Start `python -m AIDELib` with arguments in a process of its own, which goes on when Slicer ends.

    Args:
        arguments: of the command line, beginning with the command.
        log: file for what it prints; appended to.

    Raises:
        RunError: it cannot be started, or the log cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            child = subprocess.Popen(
                [pythonExecutable(), "-m", "AIDELib", *arguments],
                cwd=LIBRARY_FOLDER,
                env=processEnvironment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **_detached(),
            )
    except OSError as error:
        raise RunError(
            f"The background process cannot be started: {error}. Is the disk full or the folder protected?"
        ) from None
    _children[child.pid] = child
    return BackgroundProcess(child.pid, log)


def lastSentence(output: str) -> str:
    """Return the last thing that a process said of itself in what it printed; "" where it said nothing."""
    # Lines of a traceback are indented; what went wrong stands in the last line that is not.
    spoken = [
        line.strip()
        for line in output.splitlines()
        if line.strip() and not line.startswith((" ", "\t", "Traceback")) and not _LAUNCHERS_LINE.match(line)
    ]
    return spoken[-1] if spoken else ""


def pythonExecutable() -> str:
    """Return Slicer's Python as a program of its own, or this Python where there is no such program."""
    return str(_pythonSlicer() or sys.executable)


def _pythonSlicer() -> Path | None:
    home = getattr(getattr(slicer, "app", None), "slicerHome", None)
    program = Path(home or "") / "bin" / ("PythonSlicer.exe" if os.name == "nt" else "PythonSlicer")
    return program if home and program.exists() else None


def processEnvironment() -> dict[str, str]:
    """Return the environment for background processes: that of Slicer's own start, with UTF-8 whatever the language."""
    # PythonSlicer sets up the paths that it needs itself; those of the running Slicer would only disturb it.
    inherited = dict(os.environ) if _pythonSlicer() is None else slicer.util.startupEnvironment()
    environment = {name: value for name, value in inherited.items() if name != "PYTHONSAFEPATH"}
    return environment | {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def hiddenWindow() -> dict[str, int]:
    """Return the arguments of Popen that keep Windows from opening a console."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}


def _detached() -> dict[str, Any]:
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _isOurs(command: str) -> bool:
    return "AIDELib" in command if os.name != "nt" else "python" in command.lower()
