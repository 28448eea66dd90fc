"""Widgets that are nearly Qt's own: combo box, message box, text browser, search box, menu button, check boxes."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property


@add_setters
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a default text where nothing is chosen."""

    def _show_default(self) -> None:
        self.placeholderText = self.defaultText

    defaultText = declared_property(str, "defaultText", "", _show_default)
    scrollWheelEnabled = declared_property(bool, "scrollWheelEnabled", True)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        if self.scrollWheelEnabled:
            super().wheelEvent(event)
        else:
            event.ignore()


class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box."""


class ctkMenuButton(QtWidgets.QPushButton):
    """A button with a menu."""


class ctkSearchBox(QtWidgets.QLineEdit):
    """A line for a text to search for."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.placeholderText = "Search..."
        self.setClearButtonEnabled(True)


@add_setters
class ctkFittedTextBrowser(QtWidgets.QTextBrowser):
    """A text as high as it needs to be, or folded to its teaser."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.textChanged.connect(self.updateGeometry)
        self.setVerticalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)

    collapsible = declared_property(bool, "collapsible", False)
    collapsed = declared_property(bool, "collapsed", True)

    def heightForWidth(self, width: int) -> int:
        document = self.document().clone()
        document.setTextWidth(width - 2 * self.frameWidth)
        return int(document.size().height()) + 2 * self.frameWidth

    def sizeHint(self) -> QtCore.QSize:
        return QtCore.QSize(150, self.heightForWidth(max(self.width, 150)))

    minimumSizeHint = sizeHint

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


@add_setters
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box with "Don't show this message again", remembered in the settings."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self._check_box = QtWidgets.QCheckBox("Don't show this message again")
        self.setCheckBox(self._check_box)
        self._check_box.visible = False

    def _get_visible(self) -> bool:
        return not self._check_box.isHidden()

    def _set_visible(self, visible: bool) -> None:
        self._check_box.visible = visible

    dontShowAgainVisible = QtCore.Property(bool, _get_visible, _set_visible)

    def _get_dont_show_again(self) -> bool:
        return self._check_box.checked

    def _set_dont_show_again(self, value: bool) -> None:
        self._check_box.checked = value

    dontShowAgain = QtCore.Property(bool, _get_dont_show_again, _set_dont_show_again)

    def _read_setting(self) -> None:
        self._set_visible(True)
        self._check_box.checked = (
            str(QtCore.QSettings().value(self.dontShowAgainSettingsKey, "false")).lower() != "false"
        )

    dontShowAgainSettingsKey = declared_property(str, "dontShowAgainSettingsKey", "", _read_setting)

    def exec(self) -> int:
        if self.dontShowAgainSettingsKey and self._check_box.checked:
            return QtWidgets.QMessageBox.Ok
        result = super().exec()
        if self.dontShowAgainSettingsKey:
            QtCore.QSettings().setValue(self.dontShowAgainSettingsKey, self._check_box.checked)
        return result

    exec_ = exec  # noqa: A003


class ctkColorPickerButton(QtWidgets.QPushButton):
    """A button that shows a colour and lets the user choose another."""

    colorChanged = QtCore.Signal(QtGui.QColor)

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self._color = QtGui.QColor(0, 0, 0)
        self._show()
        self.clicked.connect(self.changeColor)

    def _get_color(self) -> QtGui.QColor:
        return self._color

    def setColor(self, color: QtGui.QColor) -> None:
        if color == self._color:
            return
        self._color = QtGui.QColor(color)
        self._show()
        self.colorChanged.emit(self._color)

    color = QtCore.Property(QtGui.QColor, _get_color, setColor)

    def changeColor(self) -> None:
        color = QtWidgets.QColorDialog.getColor(self._color, self)
        if color.isValid():
            self.setColor(color)

    def _show(self) -> None:
        pixmap = QtGui.QPixmap(16, 16)
        pixmap.fill(self._color)
        self.icon = QtGui.QIcon(pixmap)


class ctkWidgetsUtils:
    """Functions on widgets."""

    @staticmethod
    def grabWidget(widget: QtWidgets.QWidget, rectangle: QtCore.QRect | None = None) -> QtGui.QImage:
        """Return a picture of the widget."""
        pixmap = widget.grab() if rectangle is None else widget.grab(rectangle)
        return pixmap.toImage()
