"""@parameterNodeWrapper: a class whose attributes are parameters of a vtkMRMLScriptedModuleNode."""

from __future__ import annotations

import weakref
from typing import Any

import qt
import slicer
import vtk

from .annotations import unannotatedType
from .gui_connectors import GuiConnector, createGuiConnector
from .parameter_pack import ParameterInfo, parameters_of

SlicerParameterNamePropertyName = "SlicerParameterName"


class _Parameter:
    """One parameter in one node."""

    def __init__(self, info: ParameterInfo, parameterNode: Any, name: str) -> None:
        self.info = info
        self.parameterNode = parameterNode
        self.name = name
        if not info.serializer.isIn(parameterNode, name):
            info.serializer.write(parameterNode, name, info.default.value)

    def read(self) -> Any:
        if not self.info.serializer.isIn(self.parameterNode, self.name):
            self.info.serializer.write(self.parameterNode, self.name, self.info.default.value)
        return self.info.serializer.read(self.parameterNode, self.name)

    def write(self, value: Any) -> None:
        self.info.serializer.write(self.parameterNode, self.name, value)


class _CachedParameter(_Parameter):
    """One parameter whose value is kept until the node is modified."""

    def __init__(self, info: ParameterInfo, parameterNode: Any, name: str) -> None:
        super().__init__(info, parameterNode, name)
        self._value = super().read()
        self._writing = False
        reference = weakref.ref(self)

        def refresh(_caller: Any, _event: str) -> None:
            parameter = reference()
            if parameter is not None and not parameter._writing:
                parameter._value = _Parameter.read(parameter)

        self._tag = parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, refresh)

    def __del__(self) -> None:
        if hasattr(self, "_tag"):
            self.parameterNode.RemoveObserver(self._tag)

    def read(self) -> Any:
        return self._value

    def write(self, value: Any) -> None:
        self._writing = True
        try:
            # Observers of the node may ask for the value, so it is kept before they hear of it.
            with slicer.util.NodeModify(self.parameterNode):
                super().write(value)
                self._value = super().read()
        finally:
            self._writing = False


class _WrapperMethods:
    """What the decorator adds to the class."""

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._parameterGUIs: dict[int, dict[str, GuiConnector]] = {}
        self._guiObserverTags: dict[int, int] = {}
        self._nextGuiTag = 0
        self._updatingGUIFromParameterNode = False
        self._parameters = {
            name: (_CachedParameter if info.serializer.supportsCaching() else _Parameter)(
                info, parameterNode, f"{prefix or ''}{name}"
            )
            for name, info in self.allParameters.items()
        }

    def default(self, name: str) -> Any:
        return self._parameter(name).info.default

    def isCached(self, name: str) -> bool:
        return isinstance(self._parameter(name), _CachedParameter)

    def _parameter(self, name: str) -> _Parameter:
        first = name.partition(".")[0]
        if first not in self._parameters:
            raise ValueError(f"There is no parameter {first}; the parameters are {sorted(self._parameters)}")
        return self._parameters[first]

    def getValue(self, name: str) -> Any:
        value = self._parameter(name).read()
        rest = name.partition(".")[2]
        return value.getValue(rest) if rest else value

    def setValue(self, name: str, value: Any) -> None:
        parameter = self._parameter(name)
        rest = name.partition(".")[2]
        if rest:
            parameter.read().setValue(rest, value)
        else:
            parameter.write(value)

    def connectGui(self, gui: Any) -> int:
        """Connect the widgets that carry the property SlicerParameterName; return a tag to undo it."""
        is_widget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if is_widget else gui.__dict__.values()
        names = {widget.property(SlicerParameterNamePropertyName): widget for widget in widgets}
        return self.connectParametersToGui({name: widget for name, widget in names.items() if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            self._parameter(name)
        connectors = {
            name: item if isinstance(item, GuiConnector) else createGuiConnector(item, self.dataType(name))
            for name, item in mapping.items()
        }
        tag = self._nextGuiTag
        self._nextGuiTag += 1
        self._parameterGUIs[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._taking_over(name, connector))
        self._guiObserverTags[tag] = self.AddObserver(vtk.vtkCommand.ModifiedEvent, self._updateGUI)
        return tag

    def disconnectGui(self, tag: int) -> None:
        for connector in self._parameterGUIs.pop(tag, {}).values():
            connector.onChanged(None)
        if tag in self._guiObserverTags:
            self.RemoveObserver(self._guiObserverTags.pop(tag))

    def _taking_over(self, name: str, connector: GuiConnector) -> Any:
        def take_over() -> None:
            if not self._updatingGUIFromParameterNode:
                with slicer.util.NodeModify(self):
                    self.setValue(name, connector.read())

        return take_over

    def _updateGUI(self, _caller: Any = None, _event: str | None = None) -> None:
        if self._updatingGUIFromParameterNode:
            return
        self._updatingGUIFromParameterNode = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._parameterGUIs.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updatingGUIFromParameterNode = False

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: Any) -> Any:
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Make a class a wrapper; used as @parameterNodeWrapper or @parameterNodeWrapper()."""
    return _make_wrapper if classtype is None else _make_wrapper(classtype)


def _make_wrapper(cls: type) -> type:
    parameters = parameters_of(cls)
    for name in parameters:
        setattr(cls, name, property(_reader(name), _writer(name)))
    methods = {name: value for name, value in vars(_WrapperMethods).items() if callable(value)}
    methods["allParameters"] = parameters
    methods["_is_parameter_node_wrapper"] = True
    methods["dataType"] = staticmethod(lambda name: _data_type(parameters, name))
    for name, value in methods.items():
        if name != "__init__" and hasattr(cls, name) and not name.startswith("__"):
            raise ValueError(f"A parameterNodeWrapper has a '{name}' of its own; choose another name.")
        if not name.startswith("__") or name == "__init__":
            setattr(cls, name, value)
    return cls


def _reader(name: str) -> Any:
    return lambda self: self._parameters[name].read()


def _writer(name: str) -> Any:
    return lambda self, value: self._parameters[name].write(value)


def _data_type(parameters: dict[str, ParameterInfo], name: str) -> Any:
    first, _, rest = name.partition(".")
    if first not in parameters:
        raise ValueError(f"There is no parameter {first}; the parameters are {sorted(parameters)}")
    type_ = parameters[first].unalteredType
    return unannotatedType(type_).dataType(rest) if rest else type_


def isParameterNodeWrapper(obj: Any) -> bool:
    """Return whether this is a wrapper class or an instance of one."""
    return getattr(obj, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """Return the descendant that carries the parameter's name, or None."""
    children = widget.findChildren(qt.QWidget)
    return next((child for child in children if child.property(SlicerParameterNamePropertyName) == parameter), None)
