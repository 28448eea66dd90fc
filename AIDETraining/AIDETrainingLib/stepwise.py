"""Long work on the scene in small steps, so that the application answers between them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import qt

from AIDESlicer.worker_thread import WorkerThread

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


@dataclass(frozen=True)
class ThreadStep(Step):
    """A step that would keep the main thread busy; the generator gets its result, or its exception, from `yield`.

    Attributes:
        work: touches neither nodes nor widgets, so that a thread can do it.
    """

    work: Callable[[], Any]


# Work that yields its progress and returns its result. Closing it early leaves nothing behind.
Steps = Generator[Step, Any, Result]


def completeSteps(steps: Steps[Result], report: Callable[[Step], None] = lambda step: None) -> Result:
    """Do all steps at once and return their result, for scripts without a user interface."""
    try:
        step = next(steps)
        while True:
            report(step)
            step = _afterWork(steps, step)
    except StopIteration as stop:
        return stop.value


def _afterWork(steps: Steps[Any], step: Step) -> Step:
    """Do the work of a step at once and return the step after it."""
    if not isinstance(step, ThreadStep):
        return next(steps)
    try:
        result = step.work()
    except Exception as error:  # whatever it is, it belongs to the work
        return steps.throw(error)
    return steps.send(result)


class StepRunner(Generic[Result]):
    """Does steps one by one in the application's event loop, those that need it in a thread.

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
        self._thread: WorkerThread | None = None
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
        """Stop after the present step, which is waited for; the work cleans up after itself."""
        steps, thread = self._steps, self._thread
        self._finish()
        if thread is not None:
            # What it writes is removed by the work, which therefore has to come later.
            thread.abandon()
            thread.wait()
        if steps is not None:
            steps.close()

    def _doStep(self) -> None:
        if self._steps is not None:
            self._advance(self._steps.send, None)

    def _advance(self, goOn: Callable[[Any], Step], value: Any) -> None:
        """Let the work go on to its next step with the outcome of the one before."""
        self._thread = None
        onDone, onError = self._onDone, self._onError
        try:
            step = goOn(value)
        except StopIteration as stop:
            self._finish()
            onDone(stop.value)
        except Exception as error:  # whatever it is, it belongs to whoever started the work
            self._finish()
            onError(error)
        else:
            self._onStep(step)
            if self._steps is not None:
                self._schedule(step)

    def _schedule(self, step: Step) -> None:
        if isinstance(step, ThreadStep):
            send, throw = self._steps.send, self._steps.throw
            self._thread = WorkerThread(
                step.work, lambda result: self._advance(send, result), lambda error: self._advance(throw, error)
            )
            self._thread.start()
        else:
            self._timer.start()

    def _finish(self) -> None:
        self._timer.stop()
        self._steps = self._thread = None
        # The timer's connection, and with it this object, stays for as long as Slicer runs; what it worked on must not.
        self._onStep = self._onDone = self._onError = lambda _outcome: None
