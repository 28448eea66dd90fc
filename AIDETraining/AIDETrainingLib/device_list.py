"""The devices that can compute, asked of a background process, as the main process does not import torch."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from AIDESlicer.background_query import askInBackground

AUTOMATIC = "auto"


class DeviceList:
    """Fills a QComboBox with the devices; 'Automatic' is always there.

    Args:
        box: the QComboBox; the data of an item is the device's name.
    """

    def __init__(self, box: qt.QComboBox) -> None:
        self._box = box
        self._thread: Any = None
        self._asked = False
        self._wanted = AUTOMATIC
        self._show([])

    def refresh(self) -> None:
        """Ask for the devices; the box is filled when the answer comes."""
        self._asked = True
        self.abandon()
        self._box.setItemText(0, _("Automatic (looking for devices …)"))
        self._thread = askInBackground(["devices", "--json"], self._onAnswer, self._onError)

    def refreshOnce(self) -> None:
        """Ask for the devices if there is no answer yet."""
        if not self._asked:
            self.refresh()

    def abandon(self) -> None:
        """Wait for an answer no more."""
        if self._thread is not None:
            self._thread.abandon()
            self._thread = None

    def select(self, name: str) -> None:
        """Choose a device, at once or when it becomes known."""
        self._wanted = name
        index = self._box.findData(name)
        self._box.setCurrentIndex(max(0, index))

    def _onAnswer(self, answer: dict[str, Any]) -> None:
        self._thread = None
        self._show(answer["devices"])

    def _onError(self, error: Exception) -> None:
        # Without the packages there is no answer; they are offered when the training is started.
        self._thread = None
        self._asked = False
        self._show([])
        self._box.setItemText(0, _("Automatic (devices are listed after the first start)"))
        self._box.setToolTip(str(error))

    def _show(self, devices: list[dict[str, Any]]) -> None:
        wasBlocked = self._box.blockSignals(True)
        self._box.clear()
        self._box.addItem(_("Automatic (the fastest)"), AUTOMATIC)
        for device in devices:
            self._box.addItem(deviceText(device), device["name"])
        self._box.blockSignals(wasBlocked)
        self.select(self._wanted)


def deviceText(device: dict[str, Any]) -> str:
    """Return a device's description with its free memory, where it is known."""
    free = device.get("free_memory_gb")
    if free is None:
        return str(device["description"])
    return _("{description}, {memory} GB free").format(description=device["description"], memory=f"{free:.1f}")
