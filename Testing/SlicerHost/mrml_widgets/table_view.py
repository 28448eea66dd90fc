"""qMRMLTableView: the contents of a table node."""

from __future__ import annotations

from typing import Any

import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property


@add_setters
class qMRMLTableView(QtWidgets.QTableView):
    """Shows a table node, and writes what the user edits where the table is not locked."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._table_node: Any = None
        self._tags: list[tuple[Any, int]] = []
        self._model = QtGui.QStandardItemModel(self)
        self.setModel(self._model)
        self._model.itemChanged.connect(self._write)
        tags = self._tags
        self.destroyed.connect(lambda: [observed.RemoveObserver(tag) for observed, tag in tags])

    transposed = declared_property(bool, "transposed", False)

    def mrmlTableNode(self) -> Any:
        return self._table_node

    @QtCore.Slot(object)
    def setMRMLScene(self, _scene: Any) -> None:
        """The table node knows its scene."""

    @QtCore.Slot(object)
    def setMRMLTableNode(self, node: Any) -> None:
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()
        self._table_node = node
        if node is not None:
            tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _caller, _event: self._show())
            self._tags.append((node, tag))
        self._show()

    def _show(self) -> None:
        table = self._table_node.GetTable() if self._table_node is not None else None
        blocked = self._model.blockSignals(True)
        self._model.clear()
        if table is not None:
            columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
            self._model.setHorizontalHeaderLabels([column.GetName() or "" for column in columns])
            for row in range(table.GetNumberOfRows()):
                items = [QtGui.QStandardItem(str(table.GetValue(row, index))) for index in range(len(columns))]
                for item in items:
                    item.setEditable(not self._table_node.GetLocked())
                self._model.appendRow(items)
        self._model.blockSignals(blocked)
        self._model.layoutChanged.emit()

    def _write(self, item: QtGui.QStandardItem) -> None:
        self._table_node.GetTable().SetValue(item.row(), item.column(), vtk.vtkVariant(item.text()))
        self._table_node.Modified()
