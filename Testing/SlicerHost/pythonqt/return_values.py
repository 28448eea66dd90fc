"""Functions with output arguments in C++: PythonQt returns the value alone, PySide a tuple."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtWidgets


def _first_of(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **keywords: Any) -> Any:
        result = function(*arguments, **keywords)
        return result[0] if isinstance(result, tuple) else result

    return call


def install_return_values() -> None:
    """Make the functions return the value alone."""
    dialog = QtWidgets.QFileDialog
    for name in ("getOpenFileName", "getSaveFileName"):
        setattr(dialog, name, staticmethod(_first_of(getattr(dialog, name))))
    names = dialog.getOpenFileNames
    dialog.getOpenFileNames = staticmethod(lambda *arguments, **keywords: tuple(names(*arguments, **keywords)[0]))
    inputs = QtWidgets.QInputDialog
    for name in ("getText", "getMultiLineText", "getItem", "getInt", "getDouble"):
        setattr(inputs, name, staticmethod(_first_of(getattr(inputs, name))))
    QtCore.QProcess.startDetached = _StartDetached(
        QtCore.QProcess.startDetached, QtCore.QProcess.__dict__["startDetached"]
    )


class _StartDetached:
    """`QProcess.startDetached(program, arguments)` of the class and `process.startDetached()` of an instance."""

    def __init__(self, of_class: Callable[..., Any], descriptor: Any) -> None:
        self.of_class = _first_of(of_class)
        self.descriptor = descriptor

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self.of_class
        return _first_of(lambda *arguments: self.of_class(instance, *arguments))
