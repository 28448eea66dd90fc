"""The modules of the application: Slicer's own by their logic, scripted ones from their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from .scripted_module import qSlicerAbstractModuleWidget, qSlicerScriptedLoadableModule

SCRIPTED_MODULES = Path(__file__).parents[1] / "scripted_modules"

# Name of the module, class of its logic.
CORE_MODULES = {
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "Annotations": "vtkSlicerAnnotationModuleLogic",
    "Colors": "vtkSlicerColorLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "Data": "",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Units": "vtkSlicerUnitsLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
    "Volumes": "vtkSlicerVolumesLogic",
}


class qSlicerCoreModule(QtCore.QObject):
    """One of Slicer's own modules: its real logic and an empty panel."""

    def __init__(self, name: str, logic: Any) -> None:
        super().__init__()
        self.name = name
        self.title = name
        self.path = ""
        self.hidden = False
        self._logic = logic
        self._widget: qSlicerAbstractModuleWidget | None = None

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> qSlicerAbstractModuleWidget:
        if self._widget is None:
            self._widget = qSlicerAbstractModuleWidget()
            QtWidgets.QVBoxLayout(self._widget)
            self._widget.setMRMLScene(slicer.mrmlScene)
        return self._widget


class qSlicerModuleFactoryManager(QtCore.QObject):
    """Which modules are loaded."""

    def __init__(self, manager: qSlicerModuleManager) -> None:
        super().__init__(manager)
        self._manager = manager

    def loadedModuleNames(self) -> tuple[str, ...]:
        return tuple(self._manager.modulesNames())

    def isLoaded(self, name: str) -> bool:
        return self._manager.module(name) is not None


class qSlicerModuleManager(QtCore.QObject):
    """Loads and finds modules."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleUnloaded = QtCore.Signal(str)

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._modules: dict[str, Any] = {}
        self._factory_manager = qSlicerModuleFactoryManager(self)

    def factoryManager(self) -> qSlicerModuleFactoryManager:
        return self._factory_manager

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def load_core_modules(self, application_logic: Any, scene: Any) -> None:
        # Two logics complain that Slicer's own data files (color tables, terminologies) are not there.
        verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
        vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
        for name, logic_class in CORE_MODULES.items():
            logic = None
            if logic_class:
                logic = getattr(slicer, logic_class)()
                logic.SetMRMLApplicationLogic(application_logic)
                logic.SetMRMLScene(scene)
                application_logic.SetModuleLogic(name, logic)
            self._add(qSlicerCoreModule(name, logic))
        vtk.vtkLogger.SetStderrVerbosity(verbosity)
        for path in sorted(SCRIPTED_MODULES.glob("*.py")):
            self.load_scripted_module(str(path))

    def load_scripted_module(self, path: str) -> qSlicerScriptedLoadableModule:
        """Load a module from its .py file; what the folders named by --additional-module-paths are for in Slicer."""
        module = qSlicerScriptedLoadableModule(path)
        self._add(module)
        return module

    def unload_scripted_module(self, name: str) -> None:
        window = slicer.util.mainWindow()
        if window is not None and window.moduleSelector().selectedModule == name:
            window.moduleSelector().selectModule("")
        self.moduleAboutToBeUnloaded.emit(name)
        self._modules.pop(name).unload()
        self.moduleUnloaded.emit(name)

    def _add(self, module: Any) -> None:
        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        setattr(slicer.moduleNames, module.name, module.name)
        self.moduleLoaded.emit(module.name)
