"""Progress of a training as a bar with the time left, and events as lines."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Any

_BAR_WIDTH = 24


class TerminalProgress:
    """Shows events of a run; on a terminal the state is one line that is written over."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._line_is_open = False

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close_line()

    def show_event(self, event: dict[str, Any]) -> None:
        """Show one event of a run."""
        if event["event"] == "state":
            self._show_state(event)
            return
        line = _describe(event)
        if line:
            self._close_line()
            print(line, file=sys.stderr, flush=True)

    def show_share(self, share: float, text: str) -> None:
        """Show how much of something is done, 0 to 1."""
        if not self._is_terminal:
            return
        filled = round(share * _BAR_WIDTH)
        line = f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {text}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r" + line[:width].ljust(width))
        sys.stderr.flush()
        self._line_is_open = True

    def _show_state(self, state: dict[str, Any]) -> None:
        if state["status"] not in ("running", "paused"):
            return
        share = state.get("share") or 0.0
        text = state.get("stage", "")
        if "epoch" in state:
            share = (state["epoch"] - 1 + share) / state["epochs"]
            if state["epochs"] > 1:
                text += f" epoch {state['epoch']} of {state['epochs']}"
        if state["status"] == "paused":
            text += ", paused"
        elif state.get("seconds_left") is not None:
            text += f", {describe_duration(state['seconds_left'])} left"
        self.show_share(share, text)

    def _close_line(self) -> None:
        if self._line_is_open:
            sys.stderr.write("\n")
            self._line_is_open = False


def describe_duration(seconds: float) -> str:
    """Return a duration as people say it: '40 s', '3 min 20 s', '2 h 5 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _describe(event: dict[str, Any]) -> str:
    name = event["event"]
    if name in ("start", "resume"):
        words = "Training" if name == "start" else "Going on with the training"
        added = event["added_epochs"]
        longer = (
            f" Nothing has to be labelled first: {added} epoch(s) more take the place of a pretraining."
            if added
            else ""
        )
        return f"{event['statement']}\n{words} with method {event['method']} on {event['device']}.{longer}"
    if name == "epoch":
        losses = " / ".join(f"{loss:.3f}" for loss in event["loss"])
        agreements = " / ".join(f"{value:.3f}" for value in event["agreement"])
        return (
            f"{event['stage']} epoch {event['epoch']} of {event['epochs']}: loss {losses}, "
            f"agreement with the labels {agreements}, {describe_duration(event['seconds'])}"
        )
    if name == "correction":
        return f"  network {event['network']} rewrote the labels of {len(event['cases'])} case(s)"
    if name == "validation":
        return f"  validation DSC {' / '.join(f'{score:.3f}' for score in event['dsc'])}"
    if name == "labelled":
        return f"The {len(event['cases'])} unlabelled case(s) are labelled by the pretrained model."
    if name == "finished":
        return f"Finished; the model is that of epoch {event['best_epoch']} (score {event['best_score']:.3f})."
    if name == "evaluated":
        return f"Measured on the test cases: mean DSC {event['mean_dsc']:.3f}."
    if name == "compared":
        return f"Compared with the baseline '{event['baseline']}'."
    if name == "segmented":
        volumes = ", ".join(f"{structure} {volume:.3g} mL" for structure, volume in event["volumes_ml"].items())
        return f"{event['name']}: {volumes}"
    if name == "notice":
        return f"Note: {event['message']}"
    if name == "task_failed":
        return f"{event['name']} failed: {event['message']}"
    return {"paused": "Paused.", "continued": "Continued.", "stopped": "Stopped."}.get(name, "")
