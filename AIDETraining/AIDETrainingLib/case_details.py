"""The editor of the selected rows of the case table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split
from AIDESlicer.error_display import showingErrors
from AIDESlicer.patient_nodes import greyVolumes, segmentations
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.case_words import qualityExplanation, splitExplanation
from AIDETrainingLib.source_selector import SourceSelector

_DIFFERENT = "(different)"


class CaseDetails:
    """Shows what the selected rows have in common, and gives all of them what the user changes.

    Args:
        ui: the widgets of DatasetSection.ui.
        selectedKeys: returns the keys of the selected rows.
    """

    def __init__(self, ui: Any, table: CaseTable, selectedKeys: Callable[[], list[str]]) -> None:
        self._ui = ui
        self._table = table
        self._selectedKeys = selectedKeys
        for quality in LabelQuality:
            ui.qualityBox.addItem(qualityExplanation(quality), quality.value)
        for split in Split:
            ui.splitBox.addItem(splitExplanation(split), split.value)
        ui.qualityBox.connect("activated(int)", self._onQuality)
        ui.splitBox.connect("activated(int)", self._onSplit)
        ui.nameEdit.connect("editingFinished()", self._onName)
        ui.patientEdit.connect("editingFinished()", self._onPatient)
        ui.domainEdit.connect("editingFinished()", self._onDomain)
        self._label = SourceSelector(ui.segmentationBox, segmentations, self._onLabel)
        self._channels: list[tuple[qt.QLabel, qt.QComboBox, SourceSelector]] = []
        self._isShown = True

    def refresh(self) -> None:
        """Show the selected rows."""
        rows = [self._table.row(key) for key in self._selectedKeys()]
        self._ui.selectedGroupBox.setTitle(
            _("Selected case") if len(rows) == 1 else _("Selected cases ({count})").format(count=len(rows))
        )
        self._ui.selectedGroupBox.setEnabled(bool(rows))
        # Empty fields only push the rest of the panel down; while rows are selected the user decides.
        if self._isShown != bool(rows):
            self._isShown = bool(rows)
            self._ui.selectedGroupBox.collapsed = not self._isShown
        self._makeChannels()
        single = rows[0] if len(rows) == 1 else None
        self._showText(self._ui.nameEdit, {row.name for row in rows} if single else set())
        self._ui.nameEdit.setEnabled(single is not None)
        self._showText(self._ui.patientEdit, {row.patient for row in rows})
        self._showText(self._ui.domainEdit, {row.domain for row in rows})
        self._showChoice(self._ui.qualityBox, {row.quality.value for row in rows})
        self._showChoice(self._ui.splitBox, {row.split.value for row in rows})
        self._showSources(single)

    def _makeChannels(self) -> None:
        layout = self._ui.selectedGroupBox.layout()
        while len(self._channels) > len(self._table.channels):
            label, box, _selector = self._channels.pop()
            for widget in (label, box):
                layout.removeWidget(widget)
                widget.setParent(None)
                widget.deleteLater()
        for index in range(len(self._channels), len(self._table.channels)):
            label, box = qt.QLabel(), qt.QComboBox()
            box.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            box.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
            box.setToolTip(_("The volume of this channel."))
            layout.addRow(label, box)
            self._channels.append((label, box, SourceSelector(box, greyVolumes, self._channelSetter(index))))
        for (label, _box, _selector), name in zip(self._channels, self._table.channels, strict=True):
            label.setText(_("Volume {channel}:").format(channel=name) if len(self._channels) > 1 else _("Volume:"))

    def _showSources(self, row: CaseRow | None) -> None:
        for index, (_label, box, selector) in enumerate(self._channels):
            box.setEnabled(row is not None)
            selector.show(None if row is None else row.images[index])
        self._ui.segmentationBox.setEnabled(row is not None)
        self._label.show(None if row is None else row.label)

    @staticmethod
    def _showText(edit: qt.QLineEdit, values: set[str]) -> None:
        edit.setText(values.pop() if len(values) == 1 else "")
        edit.setPlaceholderText(_(_DIFFERENT) if len(values) > 1 else "")
        edit.setModified(False)

    @staticmethod
    def _showChoice(box: qt.QComboBox, values: set[str]) -> None:
        box.setCurrentIndex(box.findData(values.pop()) if len(values) == 1 else -1)

    @showingErrors
    def _onQuality(self, index: int) -> None:
        self._update(quality=LabelQuality(self._ui.qualityBox.itemData(index)))

    @showingErrors
    def _onSplit(self, index: int) -> None:
        self._update(split=Split(self._ui.splitBox.itemData(index)))

    def _onName(self) -> None:
        self._onText(self._ui.nameEdit, "name")

    def _onPatient(self) -> None:
        self._onText(self._ui.patientEdit, "patient")

    def _onDomain(self) -> None:
        self._onText(self._ui.domainEdit, "domain")

    @showingErrors
    def _onText(self, edit: qt.QLineEdit, field: str) -> None:
        # Leaving a field without having typed is no edit.
        if not edit.isModified():
            return
        edit.setModified(False)
        try:
            self._update(**{field: edit.text.strip()})
        finally:
            self.refresh()

    @showingErrors
    def _onLabel(self, source: Source | None) -> None:
        self._update(label=source)

    def _channelSetter(self, index: int) -> Callable[[Source | None], None]:
        @showingErrors
        def setChannel(source: Source | None) -> None:
            for key in self._selectedKeys():
                self._table.setImage(key, index, source)

        return setChannel

    def _update(self, **changes: Any) -> None:
        keys = self._selectedKeys()
        if keys:
            self._table.updateRows(keys, **changes)
