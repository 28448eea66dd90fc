"""Short commands of AIDELib whose answer is JSON, run in the background."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from AIDELib.errors import AIDEError, RunError
from AIDESlicer.background_process import (
    LIBRARY_FOLDER,
    hiddenWindow,
    lastSentence,
    processEnvironment,
    pythonExecutable,
)
from AIDESlicer.worker_thread import WorkerThread


def askInBackground(
    arguments: Sequence[str], onAnswer: Callable[[Any], None], onError: Callable[[Exception], None]
) -> WorkerThread:
    """Run `python -m AIDELib ARGUMENTS` and call back on the main thread with the JSON that it prints.

    Returns:
        The thread that waits for the answer; keep it, and `abandon` it where the answer is no longer wanted.
    """
    program, environment = pythonExecutable(), processEnvironment()
    thread = WorkerThread(lambda: askNow(arguments, program, environment), onAnswer, onError)
    thread.start()
    return thread


def askNow(arguments: Sequence[str], program: str, environment: dict[str, str]) -> Any:
    """Run `PROGRAM -m AIDELib ARGUMENTS` to its end and return the JSON that it prints.

    Raises:
        AIDEError: the command refused, with its own sentence.
        RunError: the program is missing or answered something else.
    """
    try:
        result = subprocess.run(
            [program, "-m", "AIDELib", *arguments],
            cwd=LIBRARY_FOLDER,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            **hiddenWindow(),
        )
    except OSError as error:
        raise RunError(f"{program} cannot be started: {error}.") from None
    if result.returncode:
        last = lastSentence(result.stderr) or f"exit code {result.returncode}"
        if last.startswith("Error: "):
            raise AIDEError(last.removeprefix("Error: "))
        raise RunError(f"The command '{arguments[0]}' of AIDE failed: {last}")
    try:
        return json.loads(result.stdout)
    except ValueError:
        raise RunError(f"The command '{arguments[0]}' of AIDE gave no usable answer: {result.stdout[:200]}") from None
