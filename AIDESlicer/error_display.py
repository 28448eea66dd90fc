"""Errors shown to the user in plain sentences."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import slicer
from slicer.i18n import tr as _

from AIDELib.errors import AIDEError


@contextmanager
def errorsShown(onError: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """Show errors of the block in a message box instead of passing them on.

    An AIDEError is shown as it is. Anything else is a fault of the program: its traceback goes to the log, and the user
    learns where that lies.

    Args:
        onError: called before the message is shown, to end what cannot go on.
    """
    try:
        yield
    except AIDEError as error:
        onError()
        slicer.util.errorDisplay(str(error))
    except Exception as error:
        onError()
        logging.exception("Unexpected error in AIDE")
        slicer.util.errorDisplay(unexpectedMessage(error))


def showingErrors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method that answers a click: its errors are shown, see `errorsShown`."""

    @functools.wraps(function)
    def shown(*arguments: Any, **named: Any) -> Any:
        with errorsShown():
            return function(*arguments, **named)

    return shown


def unexpectedMessage(error: Exception) -> str:
    """Return the sentence for an error that is a fault of the program."""
    message = _("Something went wrong that should not have: {reason}.").format(
        reason=str(error) or type(error).__name__
    )
    logFile = applicationLog()
    if logFile:
        message += " " + _("The details are in Slicer's log: {file}").format(file=logFile)
    return message


def applicationLog() -> str:
    """Return the path of Slicer's log file; "" where there is none."""
    model = getattr(slicer.app, "errorLogModel", None)
    return str(model().filePath) if model is not None else ""
