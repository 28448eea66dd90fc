"""The list of structures on the screen."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from AIDETrainingLib.case_table import CaseTable

_ICON_SIZE = 14


class StructuresView:
    """Shows the structures with their colours and terminology; a tick tells whether the model learns one.

    Args:
        ui: the widgets of DatasetSection.ui.
    """

    def __init__(self, ui: Any, table: CaseTable) -> None:
        self._widget = ui.structuresTable
        self._group = ui.structuresGroupBox
        self._table = table
        self._widget.setColumnCount(2)
        self._widget.setHorizontalHeaderLabels([_("Structure"), _("Terminology")])
        self._widget.verticalHeader().setVisible(False)
        self._widget.horizontalHeader().setStretchLastSection(True)
        self._widget.connect("itemChanged(QTableWidgetItem*)", self._onChanged)

    def refresh(self) -> None:
        """Show the structures as they are now."""
        wasBlocked = self._widget.blockSignals(True)
        self._widget.setRowCount(len(self._table.structures))
        for position, structure in enumerate(self._table.structures):
            # An item is kept where there is one: it may be the one whose change is being answered.
            if self._widget.item(position, 0) is None:
                self._widget.setItem(position, 0, qt.QTableWidgetItem())
                self._widget.setItem(position, 1, qt.QTableWidgetItem())
            name = self._widget.item(position, 0)
            name.setText(structure.name)
            name.setFlags(name.flags() | qt.Qt.ItemIsUserCheckable)
            name.setCheckState(qt.Qt.Checked if structure.used else qt.Qt.Unchecked)
            pixmap = qt.QPixmap(_ICON_SIZE, _ICON_SIZE)
            pixmap.fill(qt.QColor(*structure.color))
            name.setIcon(qt.QIcon(pixmap))
            self._widget.item(position, 1).setText(terminologyWords(structure.terminology))
        self._widget.resizeColumnToContents(0)
        self._widget.blockSignals(wasBlocked)
        used = sum(structure.used for structure in self._table.structures)
        self._group.setTitle(_("Structures to learn ({used})").format(used=used))

    def _onChanged(self, item: qt.QTableWidgetItem) -> None:
        if item.column() == 0:
            self._table.useStructure(item.text(), item.checkState() == qt.Qt.Checked)


def terminologyWords(entry: str) -> str:
    """Return the meanings in a serialized terminology entry, such as 'Liver' or 'Kidney, Left'.

    An entry is context~category~type~modifier~anatomic context~region~region modifier, each code scheme^value^meaning.
    """
    parts = entry.split("~")
    meanings = [part.split("^")[2] for part in parts[2:4] if part.count("^") == 2]
    return ", ".join(meaning for meaning in meanings if meaning)
