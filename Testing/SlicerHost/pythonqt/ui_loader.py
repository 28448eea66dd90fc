"""QUiLoader that makes the widgets of ctk and Slicer where a Qt Designer file names them.

Qt reads the file; two things in it that Qt cannot know are taken out first: enumerations of ctk and Slicer classes, which
are set after loading, and VTK types in the signatures of connections, which Qt knows as PyObject.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from .signals import python_signature

_custom_widgets: dict[str, type[QtWidgets.QWidget]] = {}


def register_custom_widgets(classes: dict[str, type]) -> None:
    """Let Qt Designer files name these classes."""
    widgets = {
        name: cls for name, cls in classes.items() if isinstance(cls, type) and issubclass(cls, QtWidgets.QWidget)
    }
    _custom_widgets.update(widgets)


@dataclass(frozen=True)
class _LateProperty:
    widget_name: str
    property_name: str
    value: Any


class QUiLoader(QtUiTools.QUiLoader):
    """Loads Qt Designer files that hold widgets of Qt, ctk and Slicer."""

    def createWidget(self, className: str, parent: QtWidgets.QWidget | None = None, name: str = ""):
        if className not in _custom_widgets:
            return super().createWidget(className, parent, name)
        widget = _custom_widgets[className](parent)
        widget.objectName = name
        return widget

    def load(self, device: QtCore.QIODevice, parentWidget: QtWidgets.QWidget | None = None):
        root = ElementTree.fromstring(bytes(device.readAll().data()))
        late = list(_take_out_foreign_enumerations(root))
        for tag in ("signal", "slot"):
            for element in root.iterfind(f"connections/connection/{tag}"):
                element.text = python_signature(element.text or "")
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QtCore.QIODevice.ReadOnly)
        widget = super().load(buffer, parentWidget)
        for item in late:
            target = widget if widget.objectName == item.widget_name else widget.findChild(None, item.widget_name)
            setattr(target, item.property_name, item.value)
        return widget


def _take_out_foreign_enumerations(root: ElementTree.Element):
    for element in root.iter("widget"):
        for property_ in list(element.iterfind("property")):
            kind = property_.find("enum") if property_.find("enum") is not None else property_.find("set")
            if kind is None or (kind.text or "").split("::")[0] not in _custom_widgets:
                continue
            element.remove(property_)
            yield _LateProperty(element.get("name", ""), property_.get("name", ""), _enumeration(kind.text or ""))


def _enumeration(text: str) -> Any:
    values = []
    for part in text.split("|"):
        scope, *_, name = part.split("::")
        values.append(getattr(_custom_widgets[scope], name))
    return functools.reduce(operator.or_, values)
