"""qMRMLSliceWidget: one slice view with its controller bar."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .render_view import RenderView

_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
)


class qMRMLSliceView(RenderView):
    """The picture of one slice: volumes blended by the slice logic, segments drawn by their displayable manager."""

    def __init__(self, slice_node: Any, slice_logic: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice_node = slice_node
        self._slice_logic = slice_logic
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        self._mapper = mapper
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(mapper)
        self._renderer.AddViewProp(self._actor)
        self.add_displayable_managers(_MANAGERS, slice_node)

    def mrmlSliceNode(self) -> Any:
        return self._slice_node

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._slice_logic.ResizeSliceNode(self.width, self.height)

    def _picture(self) -> QtGui.QImage:
        # Without a volume the logic has no image, and the mapper would ask for one.
        self._mapper.SetInputConnection(self._slice_logic.GetImageDataConnection())
        self._actor.SetVisibility(self._slice_logic.GetImageDataConnection() is not None)
        return super()._picture()


class qMRMLSliceControllerWidget(QtWidgets.QFrame):
    """The bar above a slice view, in the view's colour, with its name and position."""

    def __init__(self, slice_node: Any, slice_logic: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice_node = slice_node
        self._slice_logic = slice_logic
        self.setFixedHeight(20)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        self._name = QtWidgets.QLabel(slice_node.GetLayoutLabel() or "", self)
        self._offset = QtWidgets.QLabel(self)
        layout.addWidget(self._name)
        layout.addStretch()
        layout.addWidget(self._offset)
        color = QtGui.QColor.fromRgbF(*slice_node.GetLayoutColor())
        self.styleSheet = f"QFrame {{ background: {color.name()}; }} QLabel {{ color: black; }}"

    def mrmlSliceNode(self) -> Any:
        return self._slice_node

    def sliceLogic(self) -> Any:
        return self._slice_logic

    def fitSliceToBackground(self) -> None:
        self._slice_logic.FitSliceToBackground(*self._slice_node.GetDimensions()[:2])

    def setSliceOffsetValue(self, offset: float) -> None:
        self._slice_logic.SetSliceOffset(offset)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        self._offset.text = f"{self._slice_logic.GetSliceOffset():.1f} mm"
        super().paintEvent(event)


class qMRMLSliceWidget(QtWidgets.QWidget):
    """A slice view and its controller."""

    def __init__(self, slice_node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slice_node = slice_node
        self._slice_logic = _slice_logic(slice_node)
        self._controller = qMRMLSliceControllerWidget(slice_node, self._slice_logic, self)
        self._view = qMRMLSliceView(slice_node, self._slice_logic, self)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    sliceViewName = QtCore.Property(str, lambda self: self._slice_node.GetLayoutName())

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def sliceLogic(self) -> Any:
        return self._slice_logic

    def mrmlSliceNode(self) -> Any:
        return self._slice_node

    def mrmlSliceCompositeNode(self) -> Any:
        return self._slice_logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._controller.fitSliceToBackground()

    def release(self) -> None:
        """Let go of the scene."""
        self._view.release()
        self._slice_logic.SetMRMLScene(None)


def _slice_logic(slice_node: Any) -> Any:
    """Return the node's logic, known to the application's logic as those of the real views are."""
    application_logic = slicer.app.applicationLogic()
    logic = application_logic.GetSliceLogic(slice_node)
    if logic is None:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application_logic)
        logic.SetMRMLScene(slice_node.GetScene())
        logic.SetSliceNode(slice_node)
        application_logic.GetSliceLogics().AddItem(logic)
    return logic
