"""qMRMLThreeDWidget: the 3D view."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtGui, QtWidgets

from .render_view import RenderView

_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)


class qMRMLThreeDView(RenderView):
    """The picture of the scene in 3D."""

    def __init__(self, view_node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_node = view_node
        self._renderer.GradientBackgroundOn()
        self.add_displayable_managers(_MANAGERS, view_node)

    def mrmlViewNode(self) -> Any:
        return self._view_node

    def cameraNode(self) -> Any:
        return slicer.modules.cameras.logic().GetViewActiveCameraNode(self._view_node)

    def resetFocalPoint(self) -> None:
        """Look at the middle of what is shown; the box and its labels do not count, and follow."""
        node = self._view_node
        shown = (node.GetBoxVisible(), node.GetAxisLabelsVisible())
        with slicer.util.NodeModify(node):
            node.SetBoxVisible(0)
            node.SetAxisLabelsVisible(0)
        bounds = [0.0] * 6
        self._renderer.ComputeVisiblePropBounds(bounds)
        if bounds[0] <= bounds[1]:
            center = [(bounds[index] + bounds[index + 1]) / 2 for index in (0, 2, 4)]
            self._renderer.GetActiveCamera().SetFocalPoint(center)
        with slicer.util.NodeModify(node):
            node.SetBoxVisible(shown[0])
            node.SetAxisLabelsVisible(shown[1])
        node.InvokeEvent(slicer.vtkMRMLViewNode.ResetFocalPointRequestedEvent)
        self._renderer.ResetCameraClippingRange()

    def resetCamera(
        self, resetRotation: bool = True, resetTranslation: bool = True, resetDistance: bool = True
    ) -> None:
        self.cameraNode().Reset(resetRotation, resetTranslation, resetDistance, self._renderer)

    def rotateToViewAxis(self, axis: int) -> None:
        """Look from the left (0), right, back, front, below or above (5)."""
        camera = slicer.vtkMRMLCameraNode
        directions = (camera.Left, camera.Right, camera.Posterior, camera.Anterior, camera.Inferior, camera.Superior)
        self.cameraNode().RotateTo(directions[axis])

    def _picture(self) -> QtGui.QImage:
        self._renderer.ResetCameraClippingRange()
        return super()._picture()


class qMRMLThreeDViewControllerWidget(QtWidgets.QFrame):
    """The bar above a 3D view."""

    def __init__(self, view_node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_node = view_node
        self.setFixedHeight(20)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.addWidget(QtWidgets.QLabel(view_node.GetLayoutLabel() or "1", self))
        self.styleSheet = "QFrame { background: #7b7bc8; } QLabel { color: black; }"

    def mrmlThreeDViewNode(self) -> Any:
        return self._view_node


class qMRMLThreeDWidget(QtWidgets.QWidget):
    """A 3D view and its controller."""

    def __init__(self, view_node: Any, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = qMRMLThreeDViewControllerWidget(view_node, self)
        self._view = qMRMLThreeDView(view_node, self)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    def threeDView(self) -> qMRMLThreeDView:
        return self._view

    def threeDController(self) -> qMRMLThreeDViewControllerWidget:
        return self._controller

    def mrmlViewNode(self) -> Any:
        return self._view.mrmlViewNode()

    def release(self) -> None:
        """Let go of the scene."""
        self._view.release()
