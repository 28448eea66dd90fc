"""What PythonQt adds to every QObject: class names, deletion, and search by class or class name."""

from __future__ import annotations

from typing import Any

import shiboken6
from PySide6 import QtCore, QtWidgets

_children = QtCore.QObject.children


def find_children(self: QtCore.QObject, kind: Any = None, name: Any = "") -> tuple[QtCore.QObject, ...]:
    """Return the descendants of a class (or class name), with a name (or regular expression)."""
    found = []
    for child in _children(self):
        if _matches(child, kind, name):
            found.append(child)
        found.extend(find_children(child, kind, name))
    return tuple(found)


def find_child(self: QtCore.QObject, kind: Any = None, name: Any = "") -> QtCore.QObject | None:
    """Return the first such descendant, or None."""
    return next(iter(find_children(self, kind, name)), None)


def _matches(child: QtCore.QObject, kind: Any, name: Any) -> bool:
    if isinstance(kind, str):
        if kind and not child.inherits(kind):
            return False
    elif kind is not None and not isinstance(child, kind):
        return False
    if isinstance(name, QtCore.QRegularExpression):
        return name.match(child.objectName).hasMatch()
    return not name or child.objectName == name


def class_name(self: QtCore.QObject) -> str:
    """Return the name of the object's Qt class."""
    return self.metaObject().className()


def delete(self: QtCore.QObject) -> None:
    """Delete the C++ object at once."""
    shiboken6.delete(self)


def install_object_tree() -> None:
    """Add the functions to QObject."""
    QtCore.QObject.findChildren = find_children
    QtCore.QObject.findChild = find_child
    QtCore.QObject.className = class_name
    QtCore.QObject.delete = delete
    for cls in (QtWidgets.QDialog, QtWidgets.QMenu, QtCore.QEventLoop, QtCore.QCoreApplication, QtWidgets.QMessageBox):
        cls.exec_ = cls.exec
