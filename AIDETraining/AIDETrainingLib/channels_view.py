"""The list of channels on the screen."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from AIDESlicer.error_display import showingErrors
from AIDESlicer.unique_name import uniqueName
from AIDETrainingLib.case_table import CaseTable


class ChannelsView:
    """Adds, renames and removes channels.

    Args:
        ui: the widgets of DatasetSection.ui.
    """

    def __init__(self, ui: Any, table: CaseTable) -> None:
        self._ui = ui
        self._table = table
        ui.addChannelButton.connect("clicked()", self._onAdd)
        ui.renameChannelButton.connect("clicked()", self._onRename)
        ui.removeChannelButton.connect("clicked()", self._onRemove)
        ui.channelsList.connect("itemChanged(QListWidgetItem*)", self._onChanged)

    def refresh(self) -> None:
        """Show the channels as they are now."""
        widget, names = self._ui.channelsList, self._table.channels
        wasBlocked = widget.blockSignals(True)
        while widget.count > len(names):
            widget.takeItem(widget.count - 1)
        # An item is kept where there is one: it may be the one whose change is being answered.
        for index, name in enumerate(names):
            if index == widget.count:
                widget.addItem(name)
            item = widget.item(index)
            item.setFlags(item.flags() | qt.Qt.ItemIsEditable)
            item.setText(name)
        widget.setCurrentRow(min(max(widget.currentRow, 0), len(names) - 1))
        widget.blockSignals(wasBlocked)
        self._ui.removeChannelButton.setEnabled(len(self._table.channels) > 1)

    @showingErrors
    def _onAdd(self) -> None:
        taken = {name.casefold() for name in self._table.channels}
        self._table.addChannel(uniqueName(_("channel"), taken))
        self._ui.channelsList.setCurrentRow(len(self._table.channels) - 1)

    def _onRename(self) -> None:
        item = self._ui.channelsList.currentItem()
        if item is not None:
            self._ui.channelsList.editItem(item)

    @showingErrors
    def _onRemove(self) -> None:
        if self._ui.channelsList.currentRow >= 0:
            self._table.removeChannel(self._ui.channelsList.currentRow)

    @showingErrors
    def _onChanged(self, item: qt.QListWidgetItem) -> None:
        index = self._ui.channelsList.row(item)
        try:
            if item.text() != self._table.channels[index]:
                self._table.renameChannel(index, item.text())
        finally:
            self.refresh()
