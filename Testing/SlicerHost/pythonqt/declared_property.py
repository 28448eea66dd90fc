"""Properties of widgets written in Python, known to Qt so that Qt Designer files can set them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore


def declared_property(kind: Any, name: str, default: Any, changed: Callable[[Any], None] | None = None) -> Any:
    """Return a Qt property kept in the attribute `_name`; `changed(widget)` is called after it is set."""
    attribute = "_" + name

    def read(self: Any) -> Any:
        value = getattr(self, attribute, default)
        # Lists of strings are tuples in PythonQt.
        return tuple(value) if isinstance(value, list) else value

    def write(self: Any, value: Any) -> None:
        setattr(self, attribute, value)
        if changed is not None:
            changed(self)

    return QtCore.Property(kind, read, write)


def add_setters(cls: type) -> type:
    """Give the class `setName(value)` for each of its declared properties, as C++ widgets have."""
    for name, value in list(vars(cls).items()):
        setter = "set" + name[0].upper() + name[1:]
        if isinstance(value, QtCore.Property) and value.fset is not None and setter not in vars(cls):
            setattr(cls, setter, value.fset)
    return cls
