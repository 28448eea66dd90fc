"""Which attributes an object has: in PythonQt a C++ object takes no new ones, and its dynamic properties are attributes.

A misspelt property is an error there, and here. Classes derived in Python, as modules write them, take any attribute.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from .classes import qobject_classes

_HOST_PACKAGE = __name__.split(".pythonqt")[0]
_MISSING = object()


def install_attributes() -> None:
    """Make every QObject class refuse what PythonQt refuses."""
    QtCore.QObject.__getattr__ = _get_dynamic_property
    for cls in qobject_classes():
        cls.__setattr__ = _set_attribute
        cls.__delattr__ = _delete_attribute


def _get_dynamic_property(self: Any, name: str) -> Any:
    value = None if name.startswith("__") else QtCore.QObject.property(self, name)
    if value is None:
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")
    return value


def _set_attribute(self: Any, name: str, value: Any) -> None:
    kind = type(self)
    member = _member(kind, name)
    if isinstance(member, QtCore.Property):
        if member.fset is None:
            raise AttributeError(f"Property '{name}' of type '{kind.__name__}' is not writable")
        member.fset(self, value)
        return
    # PySide itself keeps the signals of an object in its attributes.
    if stands_for_cpp(kind) and not isinstance(value, QtCore.SignalInstance):
        if member is _MISSING and name in self.dynamicPropertyNames():
            self.setProperty(name, value)
            return
        if member is _MISSING and not (name.startswith("_") and kind.__module__.startswith(_HOST_PACKAGE)):
            raise AttributeError(
                f"'{name}' does not exist on {kind.__name__} and creating new attributes on C++ objects is not allowed"
            )
        if member is not _MISSING and callable(member) and not hasattr(type(member), "__set__"):
            raise AttributeError(f"Slot '{name}' can not be overwritten on {kind.__name__}")
    # The base of all classes of PySide; theirs cannot be called once they are replaced.
    QtCore.QObject.__base__.__setattr__(self, name, value)


def _delete_attribute(self: Any, name: str) -> None:
    QtCore.QObject.__base__.__delattr__(self, name)


def stands_for_cpp(kind: type) -> bool:
    """Return whether objects of the class are C++ objects in Slicer."""
    module = kind.__module__
    return module.startswith("PySide6") or (
        module.startswith(_HOST_PACKAGE) and kind.__name__.startswith(("ctk", "qMRML"))
    )


def _member(kind: type, name: str) -> Any:
    return next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), _MISSING)
