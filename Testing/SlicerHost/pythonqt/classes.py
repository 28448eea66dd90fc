"""The classes of Qt that PythonQt wraps."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

QT_MODULES = (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools)


def qobject_classes() -> Iterator[type[QtCore.QObject]]:
    """Yield every class derived from QObject, a base before what derives from it."""
    # PySide makes its classes when they are first asked for.
    values = (getattr(module, name, None) for module in QT_MODULES for name in dir(module))
    found = {value for value in values if isinstance(value, type) and issubclass(value, QtCore.QObject)}
    yield from sorted(found, key=lambda cls: len(cls.__mro__))
