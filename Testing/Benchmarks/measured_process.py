"""A process run to its end, with what it used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


class ProcessFailed(RuntimeError):
    """A command of an experiment ended with an error; the text holds what it wrote."""


@dataclass(frozen=True)
class Usage:
    """What a process used.

    Attributes:
        wall_seconds: from start to end.
        cpu_seconds: user time of all its threads; comparable also between busy and idle machines.
        peak_memory_gb: largest resident memory.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_memory_gb: float


def run_aide(arguments: list[str], log: Path) -> Usage:
    """Run `python -m AIDELib` with these arguments and return what it used. POSIX systems only.

    Args:
        log: receives everything that it writes.

    Raises:
        ProcessFailed: it did not end with exit code 0.
    """
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "AIDELib", *arguments], cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            # What is started next must not find it at work.
            process.terminate()
            process.wait()
            raise
    # The process object does not know that it was waited for.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise ProcessFailed(f"python -m AIDELib {' '.join(arguments)}\n{log.read_text(encoding='utf-8')[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(time.monotonic() - started, usage.ru_utime, usage.ru_maxrss * unit / 1e9)
