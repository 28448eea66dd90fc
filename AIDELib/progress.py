"""What a run tells those who watch it: events, the state with the time left, and their requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from AIDELib.watched_folder import Request, Status, WatchedFolder

# The state is for people and timers; more often than this only wears the disk.
SECONDS_BETWEEN_STATES = 1.0
SECONDS_BETWEEN_LOOKS = 0.2

# What an epoch of a stage costs relative to the others is unknown before it ran: two networks that also make
# pseudo-labels take about this many times as long as the one network of the pretraining.
COST_OF_LATER_STAGE = 3.0

Listener = Callable[[dict[str, Any]], None]


class StopRequested(Exception):
    """The run was asked to stop; the unfinished epoch is dropped."""


class Progress:
    """Writes the progress of a run and obeys the requests in its folder.

    Args:
        run: the run.
        listener: called with each event and each state as they are written, in the training process.
        superior: a folder whose requests are obeyed as well: that of the run which this one is a part of.
    """

    def __init__(self, run: WatchedFolder, listener: Listener, superior: WatchedFolder | None = None) -> None:
        self._run = run
        self._request_folders = (run,) if superior is None else (run, superior)
        self._listener = listener
        self._details: dict[str, Any] = {}
        self._last_state = 0.0
        self._last_look = 0.0
        self._epoch_seconds: float | None = None
        self._epoch_started = 0.0

    def event(self, kind: str, /, **details: Any) -> None:
        """Record an event."""
        event = {"event": kind, **details}
        self._run.append_event(event)
        self._listener(event)

    def state(self, status: Status, **details: Any) -> None:
        """Record where the run stands; details given earlier stay until changed."""
        self._details |= details
        self._run.write_state(status, **self._details)
        self._listener({"event": "state", "status": status.value, **self._details})
        self._last_state = time.monotonic()

    @contextmanager
    def telling_warnings(self) -> Iterator[None]:
        """Record what AIDELib warns of meanwhile as events "notice" {"message"}."""
        handler = _NoticeHandler(self)
        logger = logging.getLogger("AIDELib")
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    def begin_stage(self) -> None:
        """Forget how long the epochs of another stage took."""
        self._epoch_seconds = None

    def begin_epoch(self, stage: str, epoch: int, epochs: int, later_epochs: int) -> None:
        """Tell that an epoch starts.

        Args:
            stage: name of the stage.
            epoch: counted from 1.
            epochs: of this stage.
            later_epochs: of the stages that follow.
        """
        self._epoch_started = time.monotonic()
        self._remaining_epochs = epochs - epoch + COST_OF_LATER_STAGE * later_epochs
        self.state(Status.RUNNING, stage=stage, epoch=epoch, epochs=epochs, share=0.0)

    def end_epoch(self) -> float:
        """Return the seconds that the epoch took."""
        seconds = time.monotonic() - self._epoch_started
        self._epoch_seconds = seconds
        return seconds

    def step(self, done: int, total: int) -> None:
        """Tell that some of all parts of an epoch or of the preparation are done; wait while a pause is asked for.

        Raises:
            StopRequested: the run was asked to stop.
        """
        self.step_share(done / max(1, total))

    def step_share(self, share: float) -> None:
        """Tell which share of an epoch or of the preparation is done, 0 to 1; wait while a pause is asked for.

        Raises:
            StopRequested: the run was asked to stop.
        """
        now = time.monotonic()
        if now - self._last_look >= SECONDS_BETWEEN_LOOKS:
            self._last_look = now
            self._obey()
        if now - self._last_state >= SECONDS_BETWEEN_STATES:
            self.state(Status.RUNNING, share=round(share, 4), seconds_left=self._seconds_left(share))

    def _seconds_left(self, share: float) -> float | None:
        if self._epoch_seconds is None:
            if "epoch" not in self._details or share < 0.02:
                return None
            per_epoch = (time.monotonic() - self._epoch_started) / share
        else:
            per_epoch = self._epoch_seconds
        return round(per_epoch * (1 - share + self._remaining_epochs), 1)

    def _obey(self) -> None:
        if self._is_asked(Request.STOP):
            raise StopRequested
        if not self._is_asked(Request.PAUSE):
            return
        started = time.monotonic()
        self.state(Status.PAUSED)
        self.event("paused")
        while self._is_asked(Request.PAUSE):
            if self._is_asked(Request.STOP):
                raise StopRequested
            time.sleep(SECONDS_BETWEEN_LOOKS)
        self._epoch_started += time.monotonic() - started
        self.event("continued")

    def _is_asked(self, request: Request) -> bool:
        return any(folder.is_asked(request) for folder in self._request_folders)


class SilentProgress(Progress):
    """That of a process which follows another one: it tells nobody anything, and hears of requests through the other."""

    def event(self, kind: str, /, **details: Any) -> None:
        pass

    def state(self, status: Status, **details: Any) -> None:
        pass


class _NoticeHandler(logging.Handler):
    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.event("notice", message=record.getMessage())
