"""`slicer.app.layoutManager()`: the views of the current layout, arranged as its description says."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from ..mrml_widgets.table_view import qMRMLTableView
from .views.plot_view import qMRMLPlotWidget
from .views.slice_view import qMRMLSliceWidget
from .views.three_d_view import qMRMLThreeDWidget


class qMRMLTableWidget(QtWidgets.QWidget):
    """A table view of the layout."""

    def __init__(self, view_node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_node = view_node
        self._controller = QtWidgets.QFrame(self)
        self._view = qMRMLTableView(self)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self._tag = view_node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _caller, _event: self._show())
        self._show()

    def _show(self) -> None:
        if self._view.mrmlTableNode() is not self._view_node.GetTableNode():
            self._view.setMRMLTableNode(self._view_node.GetTableNode())

    def tableView(self) -> qMRMLTableView:
        return self._view

    def tableController(self) -> QtWidgets.QFrame:
        return self._controller

    def mrmlTableViewNode(self) -> Any:
        return self._view_node

    def release(self) -> None:
        """Let go of the scene."""
        self._view_node.RemoveObserver(self._tag)
        self._view.setMRMLTableNode(None)


_WIDGETS = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLViewNode": qMRMLThreeDWidget,
    "vtkMRMLPlotViewNode": qMRMLPlotWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
}


class qSlicerLayoutManager(QtCore.QObject):
    """Makes the widgets of the view nodes that the layout asks for."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        super().__init__()
        self._paused = 0
        self._widgets: dict[str, QtWidgets.QWidget] = {}
        self._shown = -1
        self._viewport = QtWidgets.QWidget()
        self._viewport.objectName = "CentralWidgetLayoutFrame"
        QtWidgets.QVBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        self._scene = scene
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
        application_logic.SetSliceLogics(vtk.vtkCollection())
        application_logic.SetViewLogics(vtk.vtkCollection())
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLApplicationLogic(application_logic)
        self._layout_logic.SetMRMLScene(scene)
        self._layout_node: Any = None
        scene.AddObserver(slicer.vtkMRMLScene.StartCloseEvent, lambda _caller, _event: self._forget_views())
        for event in (slicer.vtkMRMLScene.EndCloseEvent, slicer.vtkMRMLScene.EndImportEvent):
            scene.AddObserver(event, lambda _caller, _event: self._observe_layout_node())

    def start(self) -> None:
        """Show the layout the application starts with."""
        self._observe_layout_node()
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def _observe_layout_node(self) -> None:
        node = self._layout_logic.GetLayoutNode()
        if node is not None and node is not self._layout_node:
            self._layout_node = node
            node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _caller, _event: self._arrange())
            if self._shown >= 0 and node.GetViewArrangement() <= 0:
                node.SetViewArrangement(self._shown)
        self._arrange()

    # What belongs to view nodes that are about to go.
    def _forget_views(self) -> None:
        self._take_down()
        slicer.app.applicationLogic().GetSliceLogics().RemoveAllItems()
        for widget in self._widgets.values():
            widget.release()
            widget.deleteLater()
        self._widgets = {}

    def release(self) -> None:
        """Let go of the scene for good."""
        self._forget_views()
        self._layout_node = None
        self._layout_logic.SetMRMLScene(None)

    def layoutLogic(self) -> Any:
        return self._layout_logic

    def viewport(self) -> QtWidgets.QWidget:
        return self._viewport

    def mrmlScene(self) -> Any:
        return self._scene

    def setLayout(self, layout: int) -> None:
        self._layout_logic.GetLayoutNode().SetViewArrangement(layout)

    layout = property(lambda self: self._layout_logic.GetLayoutNode().GetViewArrangement(), setLayout)

    def pauseRender(self) -> None:
        self._paused += 1

    def resumeRender(self) -> None:
        self._paused = max(0, self._paused - 1)

    def _arrange(self) -> None:
        if self._scene.IsClosing() or self._scene.IsImporting():
            return
        description = self._layout_node.GetCurrentLayoutDescription()
        if not description:
            return
        self._take_down()
        self._viewport.layout().addWidget(self._arranged(ElementTree.fromstring(description)))
        if self._layout_node.GetViewArrangement() != self._shown:
            self._shown = self._layout_node.GetViewArrangement()
            self.layoutChanged.emit(self._shown)

    def _take_down(self) -> None:
        for widget in self._widgets.values():
            widget.setParent(None)
        item = self._viewport.layout().takeAt(0)
        if item is not None and item.widget() is not None:
            item.widget().deleteLater()

    def _arranged(self, element: ElementTree.Element) -> QtWidgets.QWidget:
        """Return the widget of a <layout> or <view> element of a layout's description."""
        if element.tag == "view":
            return self._widget_of(element)
        items = [(item.get("name", ""), self._arranged(item[0])) for item in element.iterfind("item") if len(item)]
        kind = element.get("type", "horizontal")
        if kind == "tab":
            tabs = QtWidgets.QTabWidget()
            for name, widget in items:
                tabs.addTab(widget, name)
            return tabs
        splitter = QtWidgets.QSplitter(QtCore.Qt.Vertical if kind == "vertical" else QtCore.Qt.Horizontal)
        for index, (_name, widget) in enumerate(items):
            splitter.addWidget(widget)
            widget.show()
            splitter.setStretchFactor(index, 1)
        splitter.setSizes([1000] * len(items))
        return splitter

    def _widget_of(self, element: ElementTree.Element) -> QtWidgets.QWidget:
        class_name, tag = element.get("class", ""), element.get("singletontag", "")
        node = self._scene.GetSingletonNode(tag, class_name)
        if node is None or class_name not in _WIDGETS:
            return QtWidgets.QLabel(f"{class_name} {tag}")
        if node.GetID() not in self._widgets:
            self._widgets[node.GetID()] = _WIDGETS[class_name](node)
        return self._widgets[node.GetID()]

    def _of(self, kind: type) -> list[Any]:
        return [widget for widget in self._widgets.values() if isinstance(widget, kind)]

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(widget.mrmlSliceNode().GetLayoutName() for widget in self._of(qMRMLSliceWidget))

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        widgets = self._of(qMRMLSliceWidget)
        return next((widget for widget in widgets if widget.mrmlSliceNode().GetLayoutName() == name), None)

    def mrmlSliceLogics(self) -> Any:
        return slicer.app.applicationLogic().GetSliceLogics()

    threeDViewCount = property(lambda self: len(self._of(qMRMLThreeDWidget)))
    plotViewCount = property(lambda self: len(self._of(qMRMLPlotWidget)))
    tableViewCount = property(lambda self: len(self._of(qMRMLTableWidget)))

    def threeDWidget(self, index: int) -> qMRMLThreeDWidget | None:
        return self._nth(qMRMLThreeDWidget, index)

    def plotWidget(self, index: int) -> qMRMLPlotWidget | None:
        return self._nth(qMRMLPlotWidget, index)

    def tableWidget(self, index: int) -> qMRMLTableWidget | None:
        return self._nth(qMRMLTableWidget, index)

    def _nth(self, kind: type, index: int) -> Any:
        widgets = self._of(kind)
        return widgets[index] if 0 <= index < len(widgets) else None

    def resetSliceViews(self) -> None:
        for widget in self._of(qMRMLSliceWidget):
            widget.sliceController().fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for widget in self._of(qMRMLThreeDWidget):
            widget.threeDView().resetFocalPoint()
            widget.threeDView().resetCamera()
