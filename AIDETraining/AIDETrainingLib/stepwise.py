"""Long work on the scene in small steps, so that the application answers between them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

import qt

Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """How far stepwise work is.

    Attributes:
        share: 0 to 1.
        text: what is being done, for the user.
    """

    share: float
    text: str


# Work that yields its progress and returns its result. Closing it early leaves nothing behind.
Steps = Generator[Step, None, Result]


def completeSteps(steps: Steps[Result], report: Callable[[Step], None] = lambda step: None) -> Result:
    """Do all steps at once and return their result, for scripts without a user interface."""
    while True:
        try:
            report(next(steps))
        except StopIteration as stop:
            return stop.value


class StepRunner(Generic[Result]):
    """Does steps one by one in the application's event loop.

    Args:
        steps: the work.
        onStep: called after each step.
        onDone: called with the result.
        onError: called with the exception that ended the work.
    """

    def __init__(
        self,
        steps: Steps[Result],
        onStep: Callable[[Step], None],
        onDone: Callable[[Result], None],
        onError: Callable[[Exception], None],
    ) -> None:
        self._steps: Steps[Result] | None = steps
        self._onStep, self._onDone, self._onError = onStep, onDone, onError
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._doStep)
        self._timer.start()

    @property
    def running(self) -> bool:
        """Whether there is work left."""
        return self._steps is not None

    def cancel(self) -> None:
        """Stop after the present step; the work cleans up after itself."""
        if self._steps is not None:
            self._steps.close()
        self._finish()

    def _doStep(self) -> None:
        if self._steps is None:
            return
        onDone, onError = self._onDone, self._onError
        try:
            step = next(self._steps)
        except StopIteration as stop:
            self._finish()
            onDone(stop.value)
        except Exception as error:  # whatever it is, it belongs to whoever started the work
            self._finish()
            onError(error)
        else:
            self._onStep(step)
            if self._steps is not None:
                self._timer.start()

    def _finish(self) -> None:
        self._timer.stop()
        self._steps = None
        # The timer's connection, and with it this object, stays for as long as Slicer runs; what it worked on must not.
        self._onStep = self._onDone = self._onError = lambda _outcome: None
