"""Where a run stands, as a person wants to read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from slicer.i18n import tr as _

from AIDESlicer.duration_text import durationText


class RunPhase(Enum):
    """What can be done with a run."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"


ACTIVE_PHASES = (RunPhase.STARTING, RunPhase.RUNNING, RunPhase.PAUSED)
RESUMABLE_PHASES = (RunPhase.STOPPED, RunPhase.FAILED, RunPhase.KILLED)


@dataclass(frozen=True)
class RunView:
    """What is shown of a run.

    Attributes:
        phase: where it stands.
        text: one or two sentences.
        share: of all epochs of the present stage, 0 to 1.
        statement: what the training does, as it said at its start.
    """

    phase: RunPhase
    text: str
    share: float = 0.0
    statement: str = ""


def viewOf(state: dict[str, Any], isAlive: bool, lastWords: str) -> RunView:
    """Return the view of a run.

    Args:
        state: its state.json; {"status": "prepared"} before the process wrote one.
        isAlive: whether its process runs.
        lastWords: what its process said last, for a process that ended without leaving a state.
    """
    phase = RunPhase.STARTING if state["status"] == "prepared" else RunPhase(state["status"])
    if phase in ACTIVE_PHASES and not isAlive:
        phase = RunPhase.KILLED
    return RunView(phase, _text(phase, state, lastWords), _share(phase, state), state.get("statement", ""))


def _text(phase: RunPhase, state: dict[str, Any], lastWords: str) -> str:
    if phase is RunPhase.STARTING:
        return _("Starting. The first start takes a little longer.")
    if phase is RunPhase.RUNNING:
        return _progressText(state)
    if phase is RunPhase.PAUSED:
        return _("Paused. {place} Resume goes on from here.").format(place=_place(state))
    if phase is RunPhase.STOPPED:
        return _("Stopped. Finished epochs are kept; Resume goes on from there.")
    if phase is RunPhase.FINISHED:
        return _("Finished. The model is ready.")
    if phase is RunPhase.FAILED:
        return state.get("message") or lastWords or _("The training failed.")
    if state["status"] == "prepared":
        return lastWords or _("The training has not been started. Resume starts it.")
    return _(
        "The training process ended unexpectedly, for example because the computer was switched off or its memory was full. "
        "Finished epochs are kept; Resume goes on from there."
    )


def _progressText(state: dict[str, Any]) -> str:
    left = state.get("seconds_left")
    if left is None:
        return _place(state)
    return _("{place} {duration} left.").format(place=_place(state), duration=durationText(left))


def _place(state: dict[str, Any]) -> str:
    stage = str(state.get("stage", "")).capitalize()
    if state.get("epochs") and state.get("epoch"):
        return _("{stage}: epoch {epoch} of {epochs}.").format(
            stage=stage, epoch=state["epoch"], epochs=state["epochs"]
        )
    return f"{stage}." if stage else ""


def _share(phase: RunPhase, state: dict[str, Any]) -> float:
    if phase is RunPhase.FINISHED:
        return 1.0
    epochs = state.get("epochs") or 1
    return min(1.0, max(0.0, ((state.get("epoch") or 1) - 1 + (state.get("share") or 0.0)) / epochs))
