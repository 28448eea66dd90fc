"""Sections that fold: ctkCollapsibleButton and ctkCollapsibleGroupBox."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header that shows or hides what lies below it; `checked` is the contrary of `collapsed`."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, *arguments) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        parent = next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None)
        super().__init__(parent)
        self.text = text
        self._hidden_by_folding: list[QtWidgets.QWidget] = []
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Preferred, QtWidgets.QSizePolicy.Preferred)
        self.setContentsMargins(0, self._header_height(), 0, 0)
        self.toggled.connect(self._fold)

    def _header_height(self) -> int:
        return self.fontMetrics().height() + 8

    def _get_collapsed(self) -> bool:
        return not self.checked

    def setCollapsed(self, collapsed: bool) -> None:
        self.checked = not collapsed

    collapsed = QtCore.Property(bool, _get_collapsed, setCollapsed)

    def _fold(self, unfolded: bool) -> None:
        widgets = [child for child in self.children() if isinstance(child, QtWidgets.QWidget)]
        if unfolded:
            for widget in self._hidden_by_folding:
                widget.visible = True
            self._hidden_by_folding = []
        else:
            self._hidden_by_folding = [widget for widget in widgets if not widget.isHidden()]
            for widget in self._hidden_by_folding:
                widget.visible = False
        self.updateGeometry()
        self.contentsCollapsed.emit(not unfolded)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        # What is added to a folded section stays hidden until it is unfolded. When a child is added it is still being
        # built, and PySide would take it for a plain QWidget for ever; it is polished just before it is first shown.
        if event.polished() and not self.checked:
            child = event.child()
            if isinstance(child, QtWidgets.QWidget) and child not in self._hidden_by_folding:
                child.visible = False
                self._hidden_by_folding.append(child)
        super().childEvent(event)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() <= self._header_height()

    def sizeHint(self) -> QtCore.QSize:
        header = QtCore.QSize(self.fontMetrics().horizontalAdvance(self.text) + 30, self._header_height())
        if not self.checked or self.layout() is None:
            return header
        return header.expandedTo(self.layout().totalSizeHint())

    def minimumSizeHint(self) -> QtCore.QSize:
        header = QtCore.QSize(self.fontMetrics().horizontalAdvance(self.text) + 30, self._header_height())
        if not self.checked or self.layout() is None:
            return header
        return header.expandedTo(self.layout().totalMinimumSize())

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, self._header_height())
        option.state |= QtWidgets.QStyle.State_Sunken if self.down else QtWidgets.QStyle.State_Raised
        painter.drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(6, (self._header_height() - 10) // 2, 10, 10)
        element = QtWidgets.QStyle.PE_IndicatorArrowDown if self.checked else QtWidgets.QStyle.PE_IndicatorArrowRight
        painter.drawPrimitive(element, arrow)
        painter.drawText(option.rect.adjusted(24, 0, -4, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, self.text)


@add_setters
class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box whose check mark shows or hides its contents."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self._open_maximum = self.maximumHeight
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._fold)

    def _get_collapsed(self) -> bool:
        return not self.checked

    def setCollapsed(self, collapsed: bool) -> None:
        self.checked = not collapsed

    collapsed = QtCore.Property(bool, _get_collapsed, setCollapsed)
    collapsedHeight = declared_property(int, "collapsedHeight", 14)

    def _fold(self, unfolded: bool) -> None:
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.visible = unfolded
        if unfolded:
            self.setMaximumHeight(self._open_maximum)
        else:
            self._open_maximum = self.maximumHeight
            option = QtWidgets.QStyleOptionGroupBox()
            self.initStyleOption(option)
            label = self.style().subControlRect(
                QtWidgets.QStyle.CC_GroupBox, option, QtWidgets.QStyle.SC_GroupBoxLabel, self
            )
            self.setMaximumHeight(label.height() + self.collapsedHeight)
        self.updateGeometry()
