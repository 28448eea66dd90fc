"""`slicer.app`: the application."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets

from .core_io_manager import qSlicerCoreIOManager
from .layout_manager import qSlicerLayoutManager
from .module_manager import qSlicerModuleManager

_LAUNCHER = """#!/bin/sh
"{python}" "$@"
status=$?
if [ $status -gt 128 ]; then
  echo "error: [{python}] exit abnormally - Report the problem." >&2
  exit 1
fi
exit $status
"""


class qSlicerApplication(QtWidgets.QApplication):
    """The application without its own start-up, translations and extension manager."""

    startupCompleted = QtCore.Signal()

    def __init__(self, arguments: list[str], scene: Any, application_logic: Any) -> None:
        super().__init__(arguments)
        QtCore.QCoreApplication.setApplicationName("Slicer")
        QtCore.QCoreApplication.setOrganizationName("slicer.org")
        self._scene = scene
        self._application_logic = application_logic
        self._home = Path(tempfile.mkdtemp(prefix="Slicer-"))
        (self._home / "tmp").mkdir()
        self._environment_before = QtCore.QProcessEnvironment.systemEnvironment()
        # Settings of a person's own Slicer are neither read nor changed.
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.IniFormat)
        for scope in (QtCore.QSettings.UserScope, QtCore.QSettings.SystemScope):
            QtCore.QSettings.setPath(QtCore.QSettings.IniFormat, scope, str(self._home / "settings"))
        self._user_settings = QtCore.QSettings()
        self.temporaryPath = str(self._home / "tmp")
        application_logic.SetTemporaryPath(self.temporaryPath)
        self._make_python_slicer()
        self._io_manager = qSlicerCoreIOManager(scene)
        self._module_manager = qSlicerModuleManager(self)
        self._layout_manager = qSlicerLayoutManager(scene, application_logic)

    slicerHome = property(lambda self: str(self._home))
    applicationVersion = "5.13.0"
    majorVersion = 5
    minorVersion = 13
    repositoryRevision = "34553"
    revision = "34553"
    platform = property(lambda _self: {"linux": "linux-amd64", "darwin": "macosx-amd64"}.get(sys.platform, "win-amd64"))
    documentationBaseUrl = "https://slicer.readthedocs.io/en/latest/"

    def _make_python_slicer(self) -> None:
        """Put an executable of this name on the path: like Slicer's, it starts Python as another process and waits."""
        folder = self._home / "bin"
        folder.mkdir()
        if os.name == "nt":
            (folder / "PythonSlicer.bat").write_text(f'@"{sys.executable}" %*\n')
        else:
            program = folder / "PythonSlicer"
            program.write_text(_LAUNCHER.format(python=sys.executable))
            program.chmod(0o755)
        os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", "")])

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._application_logic

    def coreIOManager(self) -> qSlicerCoreIOManager:
        return self._io_manager

    def ioManager(self) -> qSlicerCoreIOManager:
        return self._io_manager

    def moduleManager(self) -> qSlicerModuleManager:
        return self._module_manager

    def layoutManager(self) -> qSlicerLayoutManager:
        return self._layout_manager

    def moduleLogic(self, name: str) -> Any:
        module = self._module_manager.module(name)
        return module.logic() if module is not None else None

    def settings(self) -> QtCore.QSettings:
        return self._user_settings

    def userSettings(self) -> QtCore.QSettings:
        return self._user_settings

    def revisionUserSettings(self) -> QtCore.QSettings:
        return self._user_settings

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return self._environment_before

    def testingEnabled(self) -> bool:
        return True

    def translate(self, context: str, text: str) -> str:
        return QtCore.QCoreApplication.translate(context, text)

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    def pauseRender(self) -> None:
        self._layout_manager.pauseRender()

    def resumeRender(self) -> None:
        self._layout_manager.resumeRender()

    def close_down(self) -> None:
        """Let go of the scene while Python still runs, and remove the temporary folders."""
        self._layout_manager.release()
        shutil.rmtree(self._home, ignore_errors=True)
