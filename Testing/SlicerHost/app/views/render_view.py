"""A widget that shows what VTK renders, without a window of the system."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets
from vtk.util.numpy_support import vtk_to_numpy


class RenderView(QtWidgets.QWidget):
    """Renders each time it is painted, so a picture of it is always up to date."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(60, 60)
        self._renderer = vtk.vtkRenderer()
        self._render_window = vtk.vtkRenderWindow()
        self._render_window.SetOffScreenRendering(1)
        self._render_window.SetMultiSamples(0)
        self._render_window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._render_window)
        self._group: Any = None

    def add_displayable_managers(self, names: tuple[str, ...], view_node: Any) -> None:
        """Let managers of these classes draw what the view's node shows."""
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self._renderer)
        for name in names:
            manager = getattr(slicer, name)()
            manager.SetMRMLApplicationLogic(slicer.app.applicationLogic())
            self._group.AddDisplayableManager(manager)
        self._group.SetMRMLDisplayableNode(view_node)

    def release(self) -> None:
        """Let go of the scene: what draws it would otherwise go on observing it."""
        if self._group is not None:
            self._group.SetMRMLDisplayableNode(None)
            for index in range(self._group.GetDisplayableManagerCount()):
                self._group.GetNthDisplayableManager(index).SetMRMLApplicationLogic(None)
            self._group = None
        self._render_window.Finalize()

    def displayableManagerByClassName(self, name: str) -> Any:
        count = self._group.GetDisplayableManagerCount()
        managers = (self._group.GetNthDisplayableManager(index) for index in range(count))
        return next((manager for manager in managers if manager.IsA(name)), None)

    def renderWindow(self) -> Any:
        return self._render_window

    def renderer(self) -> Any:
        return self._renderer

    def interactor(self) -> Any:
        return self._interactor

    def scheduleRender(self) -> None:
        self.update()

    def forceRender(self) -> None:
        self._render_window.SetSize(max(1, self.width), max(1, self.height))
        self._render_window.Render()
        self.update()

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.drawImage(QtCore.QPoint(0, 0), self._picture())
        painter.end()

    def _picture(self) -> QtGui.QImage:
        self._render_window.SetSize(max(1, self.width), max(1, self.height))
        self._render_window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._render_window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1].copy()
        return QtGui.QImage(pixels.data, width, height, 3 * width, QtGui.QImage.Format_RGB888).copy()
