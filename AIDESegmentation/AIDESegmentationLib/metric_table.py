"""Tables of numbers by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import qt


def showNumbers(table: Any, titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """Fill a QTableWidget: the row's name first, its texts centred behind; the table is as high as its content.

    Args:
        titles: of all columns.
        rows: texts of the columns behind the first, by the row's name.
    """
    table.setColumnCount(len(titles))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(list(titles))
    table.verticalHeader().setVisible(False)
    for row, (name, texts) in enumerate(rows.items()):
        table.setItem(row, 0, qt.QTableWidgetItem(name))
        for column, text in enumerate(texts, start=1):
            item = qt.QTableWidgetItem(text)
            item.setTextAlignment(qt.Qt.AlignCenter)
            table.setItem(row, column, item)
    header = table.horizontalHeader()
    for column in range(1, len(titles)):
        header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
    # A table in a panel that scrolls itself needs no scroll bar of its own.
    rowHeights = sum(table.rowHeight(row) for row in range(len(rows)))
    height = table.horizontalHeader().sizeHint.height() + rowHeights + 2 * table.frameWidth
    table.setMinimumHeight(height)
    table.setMaximumHeight(height)
