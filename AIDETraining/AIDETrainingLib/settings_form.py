"""The advanced settings as a form, one field for each field of AIDELib's Settings with its explanation."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

import qt
from slicer.i18n import tr as _

from AIDELib.settings import Settings

_TYPES = typing.get_type_hints(Settings)
_DECIMALS = 8
# The network is no choice: there is one.
_HIDDEN = ("network",)


class SettingsForm:
    """Fills a scroll area with fields and tells which settings differ from the preset.

    Args:
        scrollArea: the QScrollArea.
        onChanged: called with the differing settings, as JSON values, after the user changed one.
    """

    def __init__(self, scrollArea: qt.QScrollArea, onChanged: Callable[[dict[str, Any]], None]) -> None:
        self._onChanged = onChanged
        self._base: dict[str, Any] = {}
        self._updating = False
        self._content = qt.QWidget()
        layout = qt.QFormLayout(self._content)
        layout.setRowWrapPolicy(qt.QFormLayout.WrapLongRows)
        self._fields: dict[str, _Field] = {}
        for field in dataclasses.fields(Settings):
            if field.name in _HIDDEN:
                continue
            own = _field(field, self._changed)
            help_text = field.metadata["help"]
            own.widget.setToolTip(_("{help} (name: {name})").format(help=help_text, name=field.name))
            label = qt.QLabel(field.name.replace("_", " ").capitalize())
            label.setToolTip(own.widget.toolTip)
            layout.addRow(label, own.widget)
            self._fields[field.name] = own
        scrollArea.setWidget(self._content)

    def show(self, base: Settings, changes: dict[str, Any]) -> None:
        """Show a preset with changes."""
        self._base = base.to_json()
        self._updating = True
        for name, field in self._fields.items():
            field.write(changes.get(name, self._base[name]))
        self._updating = False

    def widgetOf(self, name: str) -> qt.QWidget:
        """Return the field of a setting."""
        return self._fields[name].widget

    def changes(self) -> dict[str, Any]:
        """Return the settings that differ from the preset."""
        values = {name: field.read() for name, field in self._fields.items()}
        return {name: value for name, value in values.items() if not _same(value, self._base[name])}

    def _changed(self, *_arguments: Any) -> None:
        if not self._updating and self._base:
            self._onChanged(self.changes())


@dataclasses.dataclass(frozen=True)
class _Field:
    widget: qt.QWidget
    read: Callable[[], Any]
    write: Callable[[Any], None]


def _field(field: dataclasses.Field[Any], changed: Callable[..., None]) -> _Field:
    kind = _TYPES[field.name]
    if kind is bool:
        return _checkBox(changed)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _comboBox(kind, changed)
    return _spinBox(kind, field.metadata["minimum"], field.metadata["maximum"], changed)


def _checkBox(changed: Callable[..., None]) -> _Field:
    box = qt.QCheckBox()
    box.connect("toggled(bool)", changed)
    return _Field(box, lambda: bool(box.checked), box.setChecked)


def _comboBox(kind: type[Enum], changed: Callable[..., None]) -> _Field:
    box = qt.QComboBox()
    for member in kind:
        box.addItem(member.value, member.value)
    box.connect("currentIndexChanged(int)", changed)
    return _Field(box, lambda: box.itemData(box.currentIndex), lambda value: box.setCurrentIndex(box.findData(value)))


def _spinBox(kind: type, minimum: float, maximum: float, changed: Callable[..., None]) -> _Field:
    box = qt.QSpinBox() if kind is int else qt.QDoubleSpinBox()
    if kind is int:
        box.connect("valueChanged(int)", changed)
    else:
        box.setDecimals(_DECIMALS)
        box.connect("valueChanged(double)", changed)
    box.setRange(minimum, maximum)
    # A wheel turned to scroll the form must not change what it passes over.
    box.setFocusPolicy(qt.Qt.StrongFocus)
    return _Field(box, lambda: kind(box.value), box.setValue)


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, float):
        return abs(value - other) < 0.5 * 10**-_DECIMALS
    return value == other
