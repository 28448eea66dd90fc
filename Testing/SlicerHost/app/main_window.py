"""The main window: the module panel at the left, the views at the right."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets


class qSlicerModuleSelectorToolBar(QtWidgets.QToolBar):
    """Which module's panel is shown."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, panel: QtWidgets.QScrollArea, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._panel = panel
        self._selected = ""

    selectedModule = property(lambda self: self._selected)

    def selectModule(self, name: str) -> None:
        if name == self._selected:
            return
        module = slicer.app.moduleManager().module(name) if name else None
        if name and module is None:
            raise RuntimeError(f"There is no module '{name}'.")
        if self._panel.widget() is not None:
            shown = self._panel.takeWidget()
            if shown.isEntered:
                shown.exit()
            shown.hide()
        self._selected = name
        if module is not None:
            widget = module.widgetRepresentation()
            self._panel.setWidget(widget)
            widget.show()
            widget.enter()
        self.moduleSelected.emit(name)


class qSlicerMainWindow(QtWidgets.QMainWindow):
    """The main window."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.objectName = "qSlicerMainWindow"
        self.windowTitle = "3D Slicer"
        dock = QtWidgets.QDockWidget("Module panel", self)
        dock.objectName = "PanelDockWidget"
        self._panel = QtWidgets.QScrollArea(dock)
        self._panel.objectName = "ModulePanel"
        self._panel.setWidgetResizable(True)
        self._panel.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAsNeeded)
        dock.setWidget(self._panel)
        self.addDockWidget(QtCore.Qt.LeftDockWidgetArea, dock)
        self._selector = qSlicerModuleSelectorToolBar(self._panel, self)
        self.addToolBar(self._selector)
        self._selector.visible = False
        self.setCentralWidget(app.layoutManager().viewport())
        app.layoutManager().start()
        self.resize(1280, 900)
        self.resizeDocks([dock], [420], QtCore.Qt.Horizontal)

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector
