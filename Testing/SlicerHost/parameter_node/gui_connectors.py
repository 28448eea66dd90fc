"""Which widget shows which type of parameter, and how."""

from __future__ import annotations

import abc
import enum
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ctk
import qt
import slicer

from .annotations import findFirstAnnotation, splitAnnotations, unannotatedType, union_members
from .validators import Choice, Maximum, Minimum, WithinRange

_registered: list[type[GuiConnector]] = []


@dataclass
class Decimals:
    """Annotation: digits after the decimal point."""

    value: int


@dataclass
class SingleStep:
    """Annotation: step of a spin box or slider."""

    value: float


class GuiConnector(abc.ABC):
    """Reads and writes one parameter in one widget, and tells when the user changed it."""

    def __init__(self) -> None:
        self._callback: Callable[[], None] | None = None

    @staticmethod
    @abc.abstractmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        """Return whether the widget shows values of the type."""

    @staticmethod
    @abc.abstractmethod
    def create(widget: Any, datatype: Any) -> GuiConnector | None:
        """Return the connector."""

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        self._callback = callback
        if callback is None:
            self._disconnect()
        else:
            self._connect()

    def changed(self) -> None:
        if self._callback:
            self._callback()

    @abc.abstractmethod
    def _connect(self) -> None:
        """Connect the widget's signal to `changed`."""

    @abc.abstractmethod
    def _disconnect(self) -> None:
        """Undo it."""

    @abc.abstractmethod
    def widget(self) -> Any:
        """Return the widget."""

    @abc.abstractmethod
    def read(self) -> Any:
        """Return the widget's value."""

    @abc.abstractmethod
    def write(self, value: Any) -> None:
        """Show a value."""


def parameterNodeGuiConnector(classtype: type[GuiConnector] | None = None) -> Any:
    """Register a connector; used as @parameterNodeGuiConnector or @parameterNodeGuiConnector()."""

    def register(cls: type[GuiConnector]) -> type[GuiConnector]:
        if not issubclass(cls, GuiConnector):
            raise TypeError("A connector of widgets derives from GuiConnector.")
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    """Return the connector of a widget and a type; RuntimeError where there is none."""
    for cls in _registered:
        if cls.canRepresent(widget, datatype):
            return cls.create(widget, datatype)
    raise RuntimeError(f"No connector shows a parameter of type '{datatype}' in a widget of type '{type(widget)}'.")


def _of_classes(widget: Any, *names: str) -> bool:
    return type(widget) in [
        getattr(module, name) for module in (qt, ctk, slicer) for name in names if hasattr(module, name)
    ]


class _SignalConnector(GuiConnector):
    """A connector of a widget with one signal for changes by the user."""

    signal = ""

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__()
        self._widget = widget

    @classmethod
    def create(cls, widget: Any, datatype: Any) -> GuiConnector:
        return cls(widget, datatype)

    # The signal's value is not passed on: `read` asks for it.
    def _connect(self) -> None:
        getattr(self._widget, self.signal).connect(self.changed)

    def _disconnect(self) -> None:
        getattr(self._widget, self.signal).disconnect(self.changed)

    def widget(self) -> Any:
        return self._widget


@parameterNodeGuiConnector
class CheckBoxToBool(_SignalConnector):
    signal = "stateChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is bool and _of_classes(widget, "QCheckBox", "ctkCheckBox")

    def read(self) -> bool:
        return self._widget.checked

    def write(self, value: bool) -> None:
        self._widget.checked = value


@parameterNodeGuiConnector
class CheckableButtonToBool(_SignalConnector):
    signal = "toggled"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is bool and _of_classes(widget, "QPushButton")

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.checkable = True

    def read(self) -> bool:
        return self._widget.checked

    def write(self, value: bool) -> None:
        self._widget.checked = value


class _BoundedConnector(_SignalConnector):
    """A spin box or slider, whose range, step and decimals come from the annotations."""

    signal = "valueChanged"
    lowest: float
    highest: float
    sliders: tuple[str, ...]

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        type_, annotations = splitAnnotations(datatype)
        self._is_integer = type_ is int
        step = findFirstAnnotation(annotations, SingleStep)
        decimals = findFirstAnnotation(annotations, Decimals)
        if hasattr(widget, "decimals"):
            if self._is_integer:
                widget.decimals = 0
            elif decimals is not None:
                widget.decimals = decimals.value
        if step is not None:
            widget.singleStep = step.value
        self._set_range(annotations)

    def _set_range(self, annotations: Any) -> None:
        within = findFirstAnnotation(annotations, WithinRange)
        minimum = findFirstAnnotation(annotations, Minimum)
        maximum = findFirstAnnotation(annotations, Maximum)
        bounded = within is not None or (minimum is not None and maximum is not None)
        if _of_classes(self._widget, *self.sliders) and not bounded:
            raise RuntimeError(
                f"Cannot have a connection to {type(self._widget).__name__} where the type is unbounded."
            )
        low = within.minimum if within else minimum.minimum if minimum else self.lowest
        high = within.maximum if within else maximum.maximum if maximum else self.highest
        self._widget.minimum = low
        self._widget.maximum = high


@parameterNodeGuiConnector
class SpinBoxToInt(_BoundedConnector):
    lowest, highest, sliders = -(2**31), 2**31 - 1, ("QSlider",)

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is int and _of_classes(widget, "QSlider", "QSpinBox")

    def read(self) -> int:
        return self._widget.value

    def write(self, value: int) -> None:
        self._widget.value = value


@parameterNodeGuiConnector
class DoubleSpinBoxToNumber(_BoundedConnector):
    lowest, highest, sliders = float("-inf"), float("inf"), ("ctkSliderWidget", "qMRMLSliderWidget")

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) in (float, int) and _of_classes(
            widget, "QDoubleSpinBox", "ctkSliderWidget", "ctkDoubleSpinBox", "qMRMLSliderWidget", "qMRMLSpinBox"
        )

    def read(self) -> float:
        return int(self._widget.value) if self._is_integer else self._widget.value

    def write(self, value: float) -> None:
        self._widget.value = value


@parameterNodeGuiConnector
class ComboBoxToChoice(_SignalConnector):
    signal = "currentIndexChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _of_classes(widget, "QComboBox", "ctkComboBox") and unannotatedType(datatype) in (int, float, str, bool)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        choice = findFirstAnnotation(splitAnnotations(datatype)[1], Choice)
        if choice is None:
            raise RuntimeError("A combo box shows a parameter only if its type is annotated with Choice.")
        self._choices = list(choice.choices)
        widget.clear()
        for item in self._choices:
            widget.addItem(str(item))

    def read(self) -> Any:
        return self._choices[self._widget.currentIndex]

    def write(self, value: Any) -> None:
        if value not in self._choices:
            raise ValueError(f"{value} is none of the choices {self._choices}.")
        self._widget.currentIndex = self._choices.index(value)


@parameterNodeGuiConnector
class ComboBoxToEnum(_SignalConnector):
    """Members are shown by their `label()` where the enumeration has one, by their name otherwise."""

    signal = "currentIndexChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        type_ = unannotatedType(datatype)
        is_enum = isinstance(type_, type) and issubclass(type_, enum.Enum)
        return is_enum and _of_classes(widget, "QComboBox", "ctkComboBox")

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        type_ = unannotatedType(datatype)
        self._members = list(type_)
        label = getattr(type_, "label", lambda member: member.name)
        index = widget.currentIndex
        widget.clear()
        for member in self._members:
            widget.addItem(label(member))
        widget.currentIndex = index

    def read(self) -> enum.Enum:
        return self._members[self._widget.currentIndex]

    def write(self, value: enum.Enum) -> None:
        self._widget.currentIndex = self._members.index(value)


@parameterNodeGuiConnector
class LineEditToStr(_SignalConnector):
    signal = "textChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is str and _of_classes(widget, "QLineEdit")

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        if value != self._widget.text:
            self._widget.text = value


@parameterNodeGuiConnector
class LabelToStr(_SignalConnector):
    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is str and _of_classes(widget, "QLabel")

    def _connect(self) -> None:
        """A label has no signal of a changed text."""

    def _disconnect(self) -> None:
        """Nothing was connected."""

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        self._widget.text = value


@parameterNodeGuiConnector
class TextEditToStr(_SignalConnector):
    signal = "textChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) is str and _of_classes(widget, "QTextEdit")

    def read(self) -> str:
        return self._widget.toPlainText()

    def write(self, value: str) -> None:
        self._widget.setPlainText(value)


_PATHS = (pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePath)


@parameterNodeGuiConnector
class PathLineEditToPath(_SignalConnector):
    signal = "currentPathChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) in _PATHS and _of_classes(widget, "ctkPathLineEdit")

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._type = unannotatedType(datatype)

    def read(self) -> pathlib.PurePath:
        return self._type(self._widget.currentPath)

    def write(self, value: pathlib.PurePath) -> None:
        self._widget.currentPath = str(value)


@parameterNodeGuiConnector
class DirectoryButtonToPath(_SignalConnector):
    signal = "directoryChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return unannotatedType(datatype) in _PATHS and _of_classes(widget, "ctkDirectoryButton")

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._type = unannotatedType(datatype)

    def read(self) -> pathlib.PurePath:
        return self._type(self._widget.directory)

    def write(self, value: pathlib.PurePath) -> None:
        self._widget.directory = str(value)


@parameterNodeGuiConnector
class NodeComboBoxToNode(_SignalConnector):
    signal = "currentNodeChanged"

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        return _of_classes(widget, "qMRMLNodeComboBox") and bool(_node_types(datatype))

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.nodeTypes = [type_().GetClassName() for type_ in _node_types(datatype)]

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)


def _node_types(datatype: Any) -> list[type]:
    """Return the node classes of a node type, or of a union of node types and None."""
    type_ = unannotatedType(datatype)
    members = [unannotatedType(member) for member in union_members(type_)] or [type_]
    nodes = [member for member in members if isinstance(member, type) and issubclass(member, slicer.vtkMRMLNode)]
    others = [member for member in members if member not in nodes and member is not type(None)]
    return [] if others else nodes
