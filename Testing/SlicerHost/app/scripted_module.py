"""A scripted module as the application sees it, and its panel."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from ..mrml_widgets.mrml_widget import qMRMLWidget


class qSlicerAbstractModuleWidget(qMRMLWidget):
    """A module's panel."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.is_entered = False

    def enter(self) -> None:
        self.is_entered = True

    def exit(self) -> None:
        self.is_entered = False

    isEntered = QtCore.Property(bool, lambda self: self.is_entered)


class qSlicerScriptedLoadableModuleWidget(qSlicerAbstractModuleWidget):
    """The panel of a scripted module; `self()` is the Python object."""

    def __init__(self, module: qSlicerScriptedLoadableModule, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._module = module
        self._self: Any = None
        QtWidgets.QVBoxLayout(self)
        self.objectName = f"{module.name}ModuleWidget"

    def self(self) -> Any:
        return self._self

    def reload(self) -> None:
        """Make the Python object anew, from the source as it is now, and set it up."""
        module = sys.modules[self._module.name]
        name = self._module.name + "Widget"
        self._self = getattr(module, name)(self)
        setattr(slicer.modules, name, self._self)
        self._self.setup()

    def enter(self) -> None:
        super().enter()
        if hasattr(self._self, "enter"):
            self._self.enter()

    def exit(self) -> None:
        super().exit()
        if hasattr(self._self, "exit"):
            self._self.exit()


class qSlicerScriptedLoadableModule(QtCore.QObject):
    """A scripted module."""

    def __init__(self, path: str, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        name = os.path.splitext(os.path.basename(path))[0]
        self.name = name
        self.path = path
        self.title = name
        self.icon = QtGui.QIcon()
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.helpText = ""
        self.acknowledgementText = ""
        self.hidden = False
        self.widgetRepresentationCreationEnabled = True
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None
        folder = os.path.dirname(path)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        self._self = getattr(module, name)(self)
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        setattr(slicer.modules, f"{name}Instance", self._self)
        setattr(slicer.modules, name.lower(), self)
        setattr(slicer.moduleNames, name, name)
        if hasattr(self._self, "setup"):
            self._self.setup()

    def self(self) -> Any:
        return self._self

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        if self._widget is None:
            self._widget = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        widget = qSlicerScriptedLoadableModuleWidget(self)
        widget.setMRMLScene(slicer.mrmlScene)
        widget.reload()
        return widget

    def unload(self) -> None:
        """Delete the panel and forget the module."""
        if self._widget is not None:
            self._widget.delete()
            self._widget = None
        for attribute in (f"{self.name}Instance", f"{self.name}Widget", self.name.lower()):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)
        sys.modules.pop(self.name, None)
