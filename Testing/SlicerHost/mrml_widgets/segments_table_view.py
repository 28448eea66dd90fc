"""qMRMLSegmentsTableView and qMRMLSegmentSelectorWidget: the segments of a segmentation."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property

_SEGMENTATION_EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "SegmentsOrderModified")


class _SegmentationObserver:
    """Calls a function when a segmentation node or its segments change."""

    def __init__(self) -> None:
        self.node: Any = None
        self._tags: list[tuple[Any, int]] = []

    def observe(self, node: Any, function: Any) -> None:
        self.stop()
        self.node = node
        if node is None:
            return
        segmentation = node.GetSegmentation()
        self._tags.append((node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, function)))
        for name in _SEGMENTATION_EVENTS:
            event = getattr(slicer.vtkSegmentation, name)
            self._tags.append((segmentation, segmentation.AddObserver(event, function)))

    def stop(self) -> None:
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()


@add_setters
class qMRMLSegmentsTableView(QtWidgets.QWidget):
    """A table of segments: visibility, colour, name, status."""

    selectionChanged = QtCore.Signal(object, object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._observer = _SegmentationObserver()
        self._ids: list[str] = []
        self._table = QtWidgets.QTableWidget(0, 2, self)
        self._table.setHorizontalHeaderLabels(["", "Name"])
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.verticalHeader().visible = False
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        self._table.itemChanged.connect(self._write_name)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self.destroyed.connect(self._observer.stop)

    readOnly = declared_property(bool, "readOnly", False)
    headerVisible = declared_property(bool, "headerVisible", True)
    statusColumnVisible = declared_property(bool, "statusColumnVisible", False)
    opacityColumnVisible = declared_property(bool, "opacityColumnVisible", True)
    visibilityColumnVisible = declared_property(bool, "visibilityColumnVisible", True)
    colorColumnVisible = declared_property(bool, "colorColumnVisible", True)

    @QtCore.Slot(object)
    def setMRMLScene(self, _scene: Any) -> None:
        """The segmentation node knows its scene."""

    def segmentationNode(self) -> Any:
        return self._observer.node

    @QtCore.Slot(object)
    def setSegmentationNode(self, node: Any) -> None:
        self._observer.observe(node, lambda _caller, _event: self._show())
        self._show()

    def tableWidget(self) -> QtWidgets.QTableWidget:
        return self._table

    segmentCount = QtCore.Property(int, lambda self: len(self._ids))

    def selectedSegmentIDs(self) -> tuple[str, ...]:
        return tuple(self._ids[index.row()] for index in self._table.selectionModel().selectedRows())

    def setSelectedSegmentIDs(self, segmentIDs: Any) -> None:
        self._table.clearSelection()
        for row, segment_id in enumerate(self._ids):
            if segment_id in segmentIDs:
                self._table.selectRow(row)

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def _show(self) -> None:
        node = self._observer.node
        segmentation = node.GetSegmentation() if node is not None else None
        count = segmentation.GetNumberOfSegments() if segmentation is not None else 0
        self._ids = [segmentation.GetNthSegmentID(index) for index in range(count)]
        blocked = self._table.blockSignals(True)
        self._table.setRowCount(len(self._ids))
        for row, segment_id in enumerate(self._ids):
            segment = segmentation.GetSegment(segment_id)
            color = QtWidgets.QTableWidgetItem()
            color.setBackground(QtGui.QBrush(QtGui.QColor.fromRgbF(*segment.GetColor())))
            self._table.setItem(row, 0, color)
            self._table.setItem(row, 1, QtWidgets.QTableWidgetItem(segment.GetName()))
        self._table.blockSignals(blocked)

    def _write_name(self, item: QtWidgets.QTableWidgetItem) -> None:
        if item.column() == 1 and not self.readOnly:
            self._observer.node.GetSegmentation().GetSegment(self._ids[item.row()]).SetName(item.text())


@add_setters
class qMRMLSegmentSelectorWidget(QtWidgets.QWidget):
    """A segmentation and one of its segments."""

    currentNodeChanged = QtCore.Signal(object)
    currentSegmentChanged = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._observer = _SegmentationObserver()
        self._node_box = slicer.qMRMLNodeComboBox(self)
        self._node_box.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._node_box.addEnabled = False
        self._node_box.removeEnabled = False
        self._segment_box = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._node_box)
        layout.addWidget(self._segment_box)
        self._node_box.currentNodeChanged.connect(self._node_changed)
        self._segment_box.currentIndexChanged.connect(lambda _index: self._tell())
        self.destroyed.connect(self._observer.stop)

    def _set_none_enabled(self) -> None:
        self._node_box.noneEnabled = self.noneEnabled

    noneEnabled = declared_property(bool, "noneEnabled", False, _set_none_enabled)

    @QtCore.Slot(object)
    def setMRMLScene(self, scene: Any) -> None:
        self._node_box.setMRMLScene(scene)

    def currentNode(self) -> Any:
        return self._node_box.currentNode()

    @QtCore.Slot(object)
    def setCurrentNode(self, node: Any) -> None:
        self._node_box.setCurrentNode(node)

    def currentSegmentID(self) -> str:
        return self._segment_box.itemData(self._segment_box.currentIndex) or ""

    def setCurrentSegmentID(self, segmentID: str) -> None:
        self._segment_box.setCurrentIndex(self._segment_box.findData(segmentID))

    def _node_changed(self, node: Any) -> None:
        self._observer.observe(node, lambda _caller, _event: self._show())
        self._show()
        self.currentNodeChanged.emit(node)

    def _show(self) -> None:
        current = self.currentSegmentID()
        node = self._observer.node
        segmentation = node.GetSegmentation() if node is not None else None
        blocked = self._segment_box.blockSignals(True)
        self._segment_box.clear()
        for index in range(segmentation.GetNumberOfSegments() if segmentation is not None else 0):
            self._segment_box.addItem(segmentation.GetNthSegment(index).GetName(), segmentation.GetNthSegmentID(index))
        self._segment_box.setCurrentIndex(
            max(self._segment_box.findData(current), 0) if self._segment_box.count else -1
        )
        self._segment_box.blockSignals(blocked)
        if self.currentSegmentID() != current:
            self._tell()

    def _tell(self) -> None:
        self.currentSegmentChanged.emit(self.currentSegmentID())
