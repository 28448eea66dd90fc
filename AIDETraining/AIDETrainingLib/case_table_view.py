"""The case table on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import qt
from slicer.i18n import tr as _

from AIDETrainingLib.case_row import CaseRow
from AIDETrainingLib.case_status import CaseStatus, Severity, caseStatus
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.case_words import qualityWord, splitWord
from AIDETrainingLib.scene_sources import sourceName, sourceProblem

_KEY_ROLE = qt.Qt.UserRole
# Told apart from each other and from black and white text by people with any colour vision.
_COLORS = {Severity.PROBLEM: "#D55E00", Severity.NOTE: "#0072B2", Severity.READY: "#009E73"}
_WIDEST_COLUMN = 170
_ROW_HEIGHT = 22


class CaseTableView:
    """Fills a QTableWidget with the rows of a CaseTable; what is edited elsewhere is shown here.

    Args:
        widget: the QTableWidget.
        onSelection: called after the user selected other rows.
    """

    def __init__(self, widget: qt.QTableWidget, table: CaseTable, onSelection: Callable[[], None]) -> None:
        self._widget = widget
        self._table = table
        self._onSelection = onSelection
        self._updating = False
        self._widget.verticalHeader().setVisible(False)
        self._widget.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self._widget.horizontalHeader().setHighlightSections(False)
        self._widget.setSortingEnabled(True)
        self._widget.connect("itemSelectionChanged()", self._selectionChanged)

    def refresh(self) -> list[CaseStatus]:
        """Show the table as it is now, keeping the selection, and return the status of each row in the table's order."""
        rows = self._table.rows
        statuses = [caseStatus(row, self._table, sourceProblem) for row in rows]
        selected = set(self.selectedKeys())
        self._updating = True
        self._widget.setSortingEnabled(False)
        self._widget.setUpdatesEnabled(False)
        try:
            isNew = self._prepareRows(rows)
            positions = {self._keyAt(position): position for position in range(len(rows))}
            for row, status in zip(rows, statuses, strict=True):
                self._fillRow(positions[row.key], row, status)
            if isNew:
                self._select(selected)
                self._fitColumns()
        finally:
            self._widget.setUpdatesEnabled(True)
            self._widget.setSortingEnabled(True)
            self._updating = False
        return statuses

    def selectedKeys(self) -> list[str]:
        """Return the keys of the selected rows."""
        positions = {item.row() for item in self._widget.selectedItems()}
        return [self._keyAt(position) for position in sorted(positions)]

    def select(self, keys: Iterable[str]) -> None:
        """Select rows, and no others."""
        self._updating = True
        self._select(set(keys))
        self._updating = False
        self._selectionChanged()

    def _prepareRows(self, rows: list[CaseRow]) -> bool:
        """Make the widget's rows and columns fit; return whether they are new and empty."""
        titles = self._titles()
        shown = [self._keyAt(position) for position in range(self._widget.rowCount)]
        if titles == self._shownTitles() and sorted(shown) == sorted(row.key for row in rows):
            return False
        self._widget.setRowCount(0)
        self._widget.setColumnCount(len(titles))
        self._widget.setHorizontalHeaderLabels(titles)
        self._widget.setRowCount(len(rows))
        for position, row in enumerate(rows):
            for column in range(len(titles)):
                self._widget.setItem(position, column, qt.QTableWidgetItem(""))
            self._widget.item(position, 0).setData(_KEY_ROLE, row.key)
        return True

    def _titles(self) -> list[str]:
        fixed = [_("Case"), _("Quality"), _("Used for"), _("Status"), _("Patient")]
        return [*fixed, *self._table.channels, _("Segmentation"), _("Scanner or hospital")]

    def _shownTitles(self) -> list[str]:
        headers = [self._widget.horizontalHeaderItem(column) for column in range(self._widget.columnCount)]
        return [header.text() for header in headers if header is not None]

    def _fillRow(self, position: int, row: CaseRow, status: CaseStatus) -> None:
        texts = [
            row.name,
            qualityWord(row.quality),
            splitWord(row.split),
            status.text,
            row.patient,
            *map(sourceName, row.images),
            sourceName(row.label),
            row.domain,
        ]
        for column, text in enumerate(texts):
            item = self._widget.item(position, column)
            if item.text() != text:
                item.setText(text)
                item.setToolTip(text)
        self._widget.item(position, 3).setForeground(qt.QBrush(qt.QColor(_COLORS[status.severity])))

    def _fitColumns(self) -> None:
        self._widget.resizeColumnsToContents()
        for column in range(self._widget.columnCount):
            if self._widget.columnWidth(column) > _WIDEST_COLUMN:
                self._widget.setColumnWidth(column, _WIDEST_COLUMN)

    def _keyAt(self, position: int) -> str:
        return str(self._widget.item(position, 0).data(_KEY_ROLE))

    def _select(self, keys: set[str]) -> None:
        self._widget.clearSelection()
        selection = qt.QItemSelection()
        last = self._widget.columnCount - 1
        for position in range(self._widget.rowCount):
            if self._keyAt(position) in keys:
                selection.select(self._widget.model().index(position, 0), self._widget.model().index(position, last))
        self._widget.selectionModel().select(selection, qt.QItemSelectionModel.Select)

    def _selectionChanged(self) -> None:
        if not self._updating:
            self._onSelection()
