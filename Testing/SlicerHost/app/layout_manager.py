"""`slicer.app.layoutManager()`: the views."""

from __future__ import annotations

from typing import Any

import vtk


class qSlicerLayoutManager:
    """The views of the layout."""

    def __init__(self, scene: Any, application_logic: Any) -> None:
        self._scene = scene
        self._application_logic = application_logic
        self._paused = 0

    def pauseRender(self) -> None:
        self._paused += 1

    def resumeRender(self) -> None:
        self._paused = max(0, self._paused - 1)

    def mrmlSliceLogics(self) -> Any:
        """Return the vtkCollection of the logics of the slice views."""
        return self._application_logic.GetSliceLogics() or vtk.vtkCollection()
