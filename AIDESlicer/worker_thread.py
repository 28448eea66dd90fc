"""Work that would keep Slicer's main thread busy, done in another one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import qt
import slicer

INTERVAL_MS = 50
# Slicer's event loop keeps Python's lock, so that a thread computes only while the main thread waits for it.
LENT_MS = 20


# Kept until their threads have ended, and let go of on the main thread: what a thread drops last is destroyed in it, which
# Qt's timers and Slicer's nodes do not survive.
_running: set[WorkerThread] = set()


class WorkerThread:
    """Runs a function in a thread and calls back on the main thread.

    The function must touch neither nodes nor widgets; snapshots are made for this (`snapshotOfVolume`).

    Args:
        work: runs in the thread.
        onDone: called with what `work` returned.
        onError: called with the exception that `work` raised.
    """

    def __init__(
        self, work: Callable[[], Any], onDone: Callable[[Any], None], onError: Callable[[Exception], None]
    ) -> None:
        self._work = work
        self._onDone = onDone
        self._onError = onError
        self._result: Any = None
        self._error: Exception | None = None
        self._isWanted = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._timer = qt.QTimer()
        # Looked at as soon as there is time: what takes a moment is not waited for longer than that.
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin."""
        _running.add(self)
        self._thread.start()
        self._timer.start()

    def abandon(self) -> None:
        """Call back no more; the thread ends with what it does."""
        self._isWanted = False

    def wait(self) -> None:
        """Return when the work is over; the main thread meanwhile answers nobody."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:
            self._error = error

    def _look(self) -> None:
        self._thread.join(LENT_MS / 1000)
        if self._thread.is_alive():
            self._timer.setInterval(INTERVAL_MS)
            return
        self._timer.stop()
        _running.discard(self)
        result, error, onDone, onError = self._result, self._error, self._onDone, self._onError
        self._letGo()
        if not self._isWanted:
            return
        if error is not None:
            onError(error)
        else:
            onDone(result)

    def _letGo(self) -> None:
        """Forget images and nodes: the timer's connection, and with it this object, stays for as long as Slicer runs."""
        self._work = self._onDone = self._onError = lambda *_arguments: None
        self._result = self._error = None


def whileSlicerAnswers(work: Callable[[], Any]) -> Any:
    """Return what a function returns that runs in a thread; windows are redrawn meanwhile, but take no clicks.

    For what must be over before the user can go on. Raises what the function raises.
    """
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["result"] = work()
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
        thread.join(INTERVAL_MS / 1000)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]
