"""A scene with what the application puts into it."""

from __future__ import annotations

from typing import Any

import slicer


def make_scene() -> tuple[Any, Any]:
    """Return a scene and the application's logic on it."""
    scene = slicer.vtkMRMLScene()
    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetMRMLScene(scene)
    remote_io = slicer.vtkMRMLRemoteIOLogic()
    data_io_manager = slicer.vtkDataIOManagerLogic()
    application_logic.SetMRMLSceneDataIO(scene, remote_io, data_io_manager)
    # The scene does not own these; they live as long as the application's logic.
    application_logic.data_io = (remote_io, data_io_manager)
    return scene, application_logic
