"""The events of a run as lines for the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _


def logLine(event: dict[str, Any]) -> str:
    """Return one line for an event of a run."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.get("time", 0)))
    return f"{clock}  {_words(event)}"


def _words(event: dict[str, Any]) -> str:
    kind = event.get("event", "")
    if kind in ("start", "resume"):
        first = _("Started") if kind == "start" else _("Resumed")
        return _("{first} on {device}. {statement}").format(
            first=first, device=event.get("device", ""), statement=event.get("statement", "")
        )
    if kind == "epoch":
        return _("{stage}: epoch {epoch} of {epochs}, loss {loss}, Dice {dice}, {seconds} s").format(
            stage=str(event["stage"]).capitalize(),
            epoch=event["epoch"],
            epochs=event["epochs"],
            loss=_numbers(event["loss"]),
            dice=_numbers(event["agreement"]),
            seconds=f"{event['seconds']:.1f}",
        )
    if kind == "validation":
        return _("Validation after epoch {epoch}: Dice {dice}").format(
            epoch=event["epoch"], dice=_numbers(event["dsc"])
        )
    if kind == "correction":
        return _("Network {network} corrected the labels of {cases}").format(
            network=event["network"], cases=", ".join(event["cases"])
        )
    if kind == "labelled":
        return _("Labelled {count} unlabelled cases").format(count=len(event["cases"]))
    if kind == "evaluated":
        return _("Measured on the test cases: mean Dice {dice}").format(dice=f"{event['mean_dsc']:.3f}")
    if kind == "compared":
        return _("Compared with {baseline} training").format(baseline=event["baseline"])
    if kind == "finished":
        return _("Finished; the best epoch was {epoch}").format(epoch=event.get("best_epoch"))
    if kind == "failed":
        return _("Failed: {message}").format(message=event.get("message", ""))
    simple = {"paused": _("Paused"), "continued": _("Continued"), "stopped": _("Stopped")}
    if kind in simple:
        return simple[kind]
    details = ", ".join(f"{name} {value}" for name, value in event.items() if name not in ("event", "time"))
    return f"{str(kind).capitalize()}: {details}" if details else str(kind).capitalize()


def _numbers(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)
