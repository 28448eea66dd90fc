"""Connecting by signature, `button.connect("clicked(bool)", function)`, beside `button.clicked.connect(function)`.

PythonQt warns of a signal that does not exist and returns False. Signals carry MRML nodes and scenes; Qt knows a Python
object as PyObject, so signatures are translated: `currentNodeChanged(vtkMRMLNode*)` is `currentNodeChanged(PyObject)`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from .classes import qobject_classes

_original_connect = QtCore.QObject.connect
_original_disconnect = QtCore.QObject.disconnect
_VTK_POINTER = re.compile(r"\bvtk\w+\s*\*")


def python_signature(signature: str) -> str:
    """Return a signature of Qt or Slicer as it is registered by a class written in Python."""
    return _VTK_POINTER.sub("PyObject", signature.lstrip("0123456789").strip())


def connect(sender: QtCore.QObject, signal: str, *target: Any) -> bool:
    """Connect a signal to a callable, or to the named slot of a receiver; return whether the signal exists."""
    if isinstance(signal, QtCore.QObject):
        # A static call through an instance, as PySide itself makes it.
        return _static_connect(signal, *target)
    signature = _existing_signature(sender, signal)
    if signature is None:
        warnings.warn(f"QObject::connect(): {type(sender).__name__} has no signal '{signal}'", stacklevel=3)
        return False
    _original_connect(sender, "2" + signature, _callable(*target))
    return True


def disconnect(sender: QtCore.QObject, signal: str | None = None, *target: Any) -> bool:
    """Undo a connection; return False where there was none."""
    if signal is None:
        return bool(_original_disconnect(sender))
    signature = _existing_signature(sender, signal)
    if signature is None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            if not target:
                return bool(_original_disconnect(sender, "2" + signature, None, None))
            return bool(_original_disconnect(sender, "2" + signature, _callable(*target)))
        except (RuntimeError, TypeError):
            return False


def _existing_signature(sender: QtCore.QObject, signal: str) -> str | None:
    text = signal.decode() if isinstance(signal, bytes) else str(signal)
    for candidate in (python_signature(text), text.lstrip("0123456789").strip()):
        normalized = bytes(QtCore.QMetaObject.normalizedSignature(candidate).data()).decode()
        if sender.metaObject().indexOfSignal(normalized) >= 0:
            return normalized
    return None


def _callable(receiver: Any, slot: str | None = None) -> Callable[..., Any]:
    if slot is None:
        return receiver
    return getattr(receiver, str(slot).lstrip("0123456789").split("(")[0])


def _static_connect(sender: Any, signal: Any, *target: Any) -> Any:
    if isinstance(signal, str) and not signal.startswith("2"):
        return connect(sender, signal, *target)
    return _original_connect(sender, signal, *target)


def install_connect() -> None:
    """Make `connect` and `disconnect` of every QObject take signatures."""
    QtCore.QObject.connect = _static_connect
    QtCore.QObject.disconnect = disconnect
    # PySide resolves these two names of an instance in C, before the class is asked.
    originals = [(cls, cls.__getattribute__) for cls in qobject_classes()]
    for cls, original in originals:
        cls.__getattribute__ = _with_connect(original)


def _with_connect(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def get(self: Any, name: str) -> Any:
        if name == "connect":
            return connect.__get__(self)
        if name == "disconnect":
            return disconnect.__get__(self)
        return original(self, name)

    return get
