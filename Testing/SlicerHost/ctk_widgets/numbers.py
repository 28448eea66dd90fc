"""Widgets for one number: ctkDoubleSpinBox, ctkSliderWidget, ctkDoubleSlider."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from ..pythonqt.declared_property import add_setters


def _forwarded(kind, name: str):
    """Return a property that the widget's spin box holds."""

    def read(self):
        return getattr(self._spin_box, name)

    def write(self, value) -> None:
        setattr(self._spin_box, name, value)

    return QtCore.Property(kind, read, write)


@add_setters
class ctkDoubleSpinBox(QtWidgets.QWidget):
    """A spin box of real numbers."""

    valueChanged = QtCore.Signal(float)
    editingFinished = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._spin_box = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._spin_box)
        self._spin_box.valueChanged.connect(self.valueChanged)
        self._spin_box.editingFinished.connect(self.editingFinished)

    value = _forwarded(float, "value")
    minimum = _forwarded(float, "minimum")
    maximum = _forwarded(float, "maximum")
    singleStep = _forwarded(float, "singleStep")
    decimals = _forwarded(int, "decimals")
    prefix = _forwarded(str, "prefix")
    suffix = _forwarded(str, "suffix")

    def setRange(self, minimum: float, maximum: float) -> None:
        self._spin_box.setRange(minimum, maximum)


@add_setters
class ctkSliderWidget(ctkDoubleSpinBox):
    """A slider beside a spin box, both of one value."""

    valueIsChanging = QtCore.Signal(float)
    _STEPS = 1000

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Horizontal, self)
        self._slider.setRange(0, self._STEPS)
        self.layout().insertWidget(0, self._slider)
        self._spin_box.valueChanged.connect(self._show_on_slider)
        self._slider.sliderMoved.connect(self._take_from_slider)
        self._page_step = 10.0

    def _show_on_slider(self, value: float) -> None:
        span = self.maximum - self.minimum
        self._slider.setValue(round((value - self.minimum) / span * self._STEPS) if span else 0)

    def _take_from_slider(self, position: int) -> None:
        self.value = self.minimum + (self.maximum - self.minimum) * position / self._STEPS
        self.valueIsChanging.emit(self.value)

    def _get_page_step(self) -> float:
        return self._page_step

    def _set_page_step(self, step: float) -> None:
        self._page_step = step

    pageStep = QtCore.Property(float, _get_page_step, _set_page_step)
