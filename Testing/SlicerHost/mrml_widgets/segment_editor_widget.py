"""qMRMLSegmentEditorWidget: what the Segment Editor is set to. Its effects are not here."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .segments_table_view import qMRMLSegmentsTableView


class qMRMLSegmentEditorWidget(QtWidgets.QWidget):
    """The editor's selectors and its table of segments, kept in a vtkMRMLSegmentEditorNode."""

    segmentationNodeChanged = QtCore.Signal(object)
    sourceVolumeNodeChanged = QtCore.Signal(object)
    currentSegmentIDChanged = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._node: Any = None
        self._history = slicer.vtkSegmentationHistory()
        self._table = qMRMLSegmentsTableView(self)
        self._table.objectName = "SegmentsTableView"
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)

    def mrmlScene(self) -> Any:
        return self._scene

    @QtCore.Slot(object)
    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = node
        self._table.setSegmentationNode(node.GetSegmentationNode() if node is not None else None)

    def segmentationNode(self) -> Any:
        return self._node.GetSegmentationNode() if self._node is not None else None

    def setSegmentationNode(self, node: Any) -> None:
        if self._node is None or node is self.segmentationNode():
            return
        self._node.SetAndObserveSegmentationNode(node)
        self._table.setSegmentationNode(node)
        self._history.SetSegmentation(node.GetSegmentation() if node is not None else None)
        if node is not None and node.GetSegmentation().GetNumberOfSegments():
            self.setCurrentSegmentID(node.GetSegmentation().GetNthSegmentID(0))
            reference = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
            if reference is not None:
                self.setSourceVolumeNode(reference)
        self.segmentationNodeChanged.emit(node)

    def sourceVolumeNode(self) -> Any:
        return self._node.GetSourceVolumeNode() if self._node is not None else None

    def setSourceVolumeNode(self, node: Any) -> None:
        if self._node is not None and node is not self.sourceVolumeNode():
            self._node.SetAndObserveSourceVolumeNode(node)
            self.sourceVolumeNodeChanged.emit(node)

    def currentSegmentID(self) -> str:
        return self._node.GetSelectedSegmentID() or "" if self._node is not None else ""

    def setCurrentSegmentID(self, segmentID: str) -> None:
        if self._node is not None and segmentID != self.currentSegmentID():
            self._node.SetSelectedSegmentID(segmentID)
            self._table.setSelectedSegmentIDs([segmentID])
            self.currentSegmentIDChanged.emit(segmentID)

    def segmentationNodeID(self) -> str:
        node = self.segmentationNode()
        return node.GetID() if node is not None else ""

    def sourceVolumeNodeID(self) -> str:
        node = self.sourceVolumeNode()
        return node.GetID() if node is not None else ""

    def setSegmentationNodeID(self, nodeID: str) -> None:
        self.setSegmentationNode(slicer.mrmlScene.GetNodeByID(nodeID))

    def setSourceVolumeNodeID(self, nodeID: str) -> None:
        self.setSourceVolumeNode(slicer.mrmlScene.GetNodeByID(nodeID))

    def activeEffect(self) -> None:
        return None

    def setActiveEffect(self, _effect: Any) -> None:
        """There are no effects."""

    def setActiveEffectByName(self, _name: str) -> None:
        """There are no effects."""

    def saveStateForUndo(self) -> None:
        self._history.SaveState()

    def undo(self) -> None:
        self._history.RestorePreviousState()

    def redo(self) -> None:
        self._history.RestoreNextState()
