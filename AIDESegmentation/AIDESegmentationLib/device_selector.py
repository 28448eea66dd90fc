"""The choice of what computes."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from AIDESlicer.background_query import askInBackground


class DeviceSelector:
    """A combo box whose devices are asked for in the background.

    Args:
        comboBox: the QComboBox.
    """

    def __init__(self, comboBox: Any) -> None:
        self._comboBox = comboBox
        self._query: Any = None
        self._wanted = "auto"
        comboBox.addItem(_("Automatic"), "auto")

    @property
    def device(self) -> str:
        """The chosen device's name: "auto", "cpu", "cuda" or "mps"."""
        return str(self._comboBox.itemData(self._comboBox.currentIndex) or "auto")

    def choose(self, device: str) -> None:
        """Choose a device, as soon as it is known that this computer has it."""
        self._wanted = device
        index = self._comboBox.findData(device)
        wasBlocked = self._comboBox.blockSignals(True)
        self._comboBox.setCurrentIndex(max(index, 0))
        self._comboBox.blockSignals(wasBlocked)

    def ask(self) -> None:
        """Find out in the background what this computer has; once."""
        if self._query is None:
            self._query = askInBackground(["devices", "--json"], self._onAnswer, self._onNoAnswer)

    def abandon(self) -> None:
        """Wait for no answer any more."""
        if self._query is not None:
            self._query.abandon()

    def _onAnswer(self, answer: dict[str, Any]) -> None:
        for device in answer["devices"]:
            if self._comboBox.findData(device["name"]) < 0:
                self._comboBox.addItem(device["description"], device["name"])
        self.choose(self._wanted)

    def _onNoAnswer(self, error: Exception) -> None:
        # PyTorch is not installed yet, so that nothing is known. It is asked for again when the module is next entered.
        self._query = None
