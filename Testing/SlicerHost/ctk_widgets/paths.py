"""Widgets for a file or folder: ctkPathLineEdit and ctkDirectoryButton."""

from __future__ import annotations

import os

from PySide6 import QtCore, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property

_HISTORY_LENGTH = 5


@add_setters
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line for a path, with the paths used before and a button to browse for another."""

    Dirs = QtCore.QDir.Dirs
    Files = QtCore.QDir.Files
    Drives = QtCore.QDir.Drives
    NoSymLinks = QtCore.QDir.NoSymLinks
    NoDotAndDotDot = QtCore.QDir.NoDotAndDotDot
    AllEntries = QtCore.QDir.AllEntries
    Readable = QtCore.QDir.Readable
    Writable = QtCore.QDir.Writable
    Executable = QtCore.QDir.Executable
    Hidden = QtCore.QDir.Hidden
    System = QtCore.QDir.System

    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo_box = QtWidgets.QComboBox(self)
        self._combo_box.setEditable(True)
        self._combo_box.setInsertPolicy(QtWidgets.QComboBox.NoInsert)
        self._combo_box.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        self._combo_box.setMinimumContentsLength(8)
        self._browse_button = QtWidgets.QToolButton(self)
        self._browse_button.text = "..."
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._combo_box)
        layout.addWidget(self._browse_button)
        self._is_valid = False
        self._combo_box.editTextChanged.connect(self._on_text)
        self._browse_button.clicked.connect(self.browse)

    label = declared_property(str, "label", "")
    filters = declared_property(QtCore.QDir.Filter, "filters", AllEntries | NoDotAndDotDot | Readable)
    nameFilters = declared_property(list, "nameFilters", [])

    def _get_path(self) -> str:
        return self._combo_box.currentText

    def setCurrentPath(self, path: str) -> None:
        if path != self._combo_box.currentText:
            self._combo_box.setEditText(path)

    currentPath = QtCore.Property(str, _get_path, setCurrentPath)

    def _on_text(self, path: str) -> None:
        # As in CTK, an emptied line is no path that has changed, only input that is not valid any more.
        was_valid, self._is_valid = self._is_valid, bool(path)
        if path:
            self.currentPathChanged.emit(path)
        if self._is_valid != was_valid:
            self.validInputChanged.emit(self._is_valid)

    def _get_show_browse(self) -> bool:
        return not self._browse_button.isHidden()

    def _set_show_browse(self, show: bool) -> None:
        self._browse_button.visible = show

    showBrowseButton = QtCore.Property(bool, _get_show_browse, _set_show_browse)
    showHistoryButton = declared_property(bool, "showHistoryButton", True)

    def _get_setting_key(self) -> str:
        return getattr(self, "_settingKey", "")

    def _set_setting_key(self, key: str) -> None:
        self._settingKey = key
        self.retrieveHistory()

    settingKey = QtCore.Property(str, _get_setting_key, _set_setting_key)

    def addCurrentPathToHistory(self) -> None:
        path = self.currentPath
        if not path:
            return
        before = [self._combo_box.itemText(index) for index in range(self._combo_box.count)]
        self._show_history([path, *(item for item in before if item != path)][:_HISTORY_LENGTH])
        if self.settingKey:
            history = [self._combo_box.itemText(index) for index in range(self._combo_box.count)]
            QtCore.QSettings().setValue(self.settingKey, history)

    def retrieveHistory(self) -> None:
        history = QtCore.QSettings().value(self.settingKey) or [] if self.settingKey else []
        self._show_history([history] if isinstance(history, str) else list(history))

    def _show_history(self, paths: list[str]) -> None:
        text = self.currentPath
        blocked = self._combo_box.blockSignals(True)
        self._combo_box.clear()
        self._combo_box.addItems(paths)
        self._combo_box.setEditText(text or (paths[0] if paths else ""))
        self._combo_box.blockSignals(blocked)
        if self.currentPath != text:
            self._on_text(self.currentPath)

    def browse(self) -> None:
        start = self.currentPath
        if self.filters & self.Files:
            writable = bool(self.filters & self.Writable)
            ask = QtWidgets.QFileDialog.getSaveFileName if writable else QtWidgets.QFileDialog.getOpenFileName
            path = ask(
                self, "Select a file to save " if writable else "Open a file", start, ";;".join(self.nameFilters)
            )
        else:
            path = QtWidgets.QFileDialog.getExistingDirectory(self, "Select a directory...", start)
        if path:
            self.setCurrentPath(path)

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._combo_box


@add_setters
class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and lets the user choose another."""

    directoryChanged = QtCore.Signal(str)
    directorySelected = QtCore.Signal(str)

    def __init__(self, *arguments) -> None:
        parent = next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None)
        super().__init__(parent)
        self._button = QtWidgets.QPushButton(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._button.clicked.connect(self.browse)
        self._directory = "."
        self._button.text = os.getcwd()

    caption = declared_property(str, "caption", "")

    def _get_directory(self) -> str:
        return self._directory

    def setDirectory(self, directory: str) -> None:
        if QtCore.QDir(directory) == QtCore.QDir(self._directory):
            return
        directory = QtCore.QDir(directory).absolutePath()
        self._directory = directory
        self._button.text = directory
        self.directoryChanged.emit(directory)

    directory = QtCore.Property(str, _get_directory, setDirectory)

    def browse(self) -> None:
        directory = QtWidgets.QFileDialog.getExistingDirectory(self, self.caption or "Select folder", self.directory)
        if directory:
            self.setDirectory(directory)
            self.directorySelected.emit(directory)
