"""Qt properties as Python attributes: `button.text = "Apply"` as PythonQt has it, not `button.setText("Apply")` alone.

PythonQt looks for a property before it looks for a method of that name, so `widget.text()` is a call of a string there,
and here. `name` stands for `objectName`.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from .classes import qobject_classes

_NUMBERS = {"int": int, "uint": int, "qlonglong": int, "double": float, "float": float, "bool": bool}


class QtProperty:
    """Descriptor of one Qt property; on the class itself it gives what was there, such as the static QTimer.singleShot."""

    def __init__(self, name: str, getter: Any, setter: Any, type_name: str) -> None:
        self.name = name
        self.getter = getter
        self.setter = setter
        self.convert = _NUMBERS.get(type_name)

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self.getter if self.getter is not None else self
        # A static function of the same name (QTimer.singleShot) is no getter.
        if self.getter is None or isinstance(self.getter, staticmethod) or not hasattr(self.getter, "__get__"):
            return _get_property(instance, self.name)
        return self.getter(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        if self.convert is not None and isinstance(value, (bool, int, float)):
            value = self.convert(value)
        if self.setter is not None:
            self.setter(instance, value)
        elif not _set_property(instance, self.name, value):
            raise AttributeError(f"Property '{self.name}' of type '{type(instance).__name__}' is not writable")


_get_property = QtCore.QObject.property
_set_property = QtCore.QObject.setProperty


def install_properties() -> None:
    """Give every QObject class attributes for its properties."""
    for cls in qobject_classes():
        _install_on(cls)
    QtCore.QObject.name = QtCore.QObject.__dict__["objectName"]


def _install_on(cls: type[QtCore.QObject]) -> None:
    meta = cls.staticMetaObject
    for index in range(meta.propertyCount()):
        property_ = meta.property(index)
        name = property_.name()
        # An inherited property matters where this class has a method of that name, which would hide it.
        if index < meta.propertyOffset() and name not in cls.__dict__:
            continue
        setter_name = "set" + name[0].upper() + name[1:]
        setter = getattr(cls, setter_name, None) if property_.isWritable() else None
        getter = getattr(cls, name, None)
        if isinstance(getter, QtProperty):
            getter = None
        setattr(cls, name, QtProperty(name, getter, setter, property_.metaType().name()))
