"""AIDETraining: a model trained from good, rough and missing labels, inside 3D Slicer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# In a plain checkout AIDELib and AIDESlicer lie beside this module's folder; installed, they are on the path already.
if importlib.util.find_spec("AIDELib") is None:
    sys.path.append(str(Path(__file__).resolve().parents[1]))

from AIDETrainingLib.training_logic import TrainingLogic
from AIDETrainingLib.training_panel import TrainingPanel

from AIDESlicer.error_display import errorsShown


class AIDETraining(ScriptedLoadableModule):
    """What Slicer's module selector shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("AIDE Training")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "SegmentEditor", "SubjectHierarchy", "Plots", "Tables"]
        self.parent.contributors = ["AIDE for 3D Slicer contributors"]
        self.parent.helpText = _(
            "Trains a model that segments your images, from a few careful labels and many rough or missing ones. Collect "
            "cases from the scene or from folders, mark how good their labels are, and press Start. Afterwards, review "
            "the labels that the networks doubt, and use the model in the module AIDE Segmentation."
        )
        self.parent.acknowledgementText = _(
            "After S. Wang et al., Annotation-efficient deep learning for automatic medical image segmentation, Nature "
            "Communications 12, 5915 (2021)."
        )


class AIDETrainingWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        """Build the panel when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = AIDETrainingLogic()
        self.panel = TrainingPanel(self.logic, self.layout, self.resourcePath)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self.onNodeRemoved)
        self.initializeParameterNode()

    def cleanup(self):
        """Let go of everything when the application closes or the module is reloaded. A training goes on."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()

    def enter(self):
        """Show the module again."""
        self.initializeParameterNode()
        self.panel.enter()

    def exit(self):
        """Leave the module; a training goes on, and so does looking at it."""

    def onSceneStartClose(self, caller, event):
        """Let go of the scene's nodes before they go."""
        self.removeObservers(self.onParametersModified)
        self.panel.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Begin with an empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller, event):
        """Remember what a scene that is added would replace."""
        self.logic.beginImport()

    def onSceneEndImport(self, caller, event):
        """Show the choices and cases that came with a scene."""
        with errorsShown():
            self.logic.endImport()
        self.initializeParameterNode()

    def onNodeRemoved(self, caller, event):
        """Show which cases lost a volume or segmentation."""
        self.panel.scheduleRefresh()

    def onReload(self):
        """Reload the module with its parts."""
        for name in [name for name in sys.modules if name.split(".")[0] == "AIDETrainingLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self):
        """Make sure that there is a parameter node, and that it is shown and followed."""
        parameters = self.logic.getParameterNode()
        self.panel.setParameterNode(parameters)
        self.removeObservers(self.onParametersModified)
        self.addObserver(parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)

    def onParametersModified(self, caller, event):
        """Show choices that were made elsewhere than in the panel."""
        self.panel.scheduleChoices()


class AIDETrainingLogic(TrainingLogic):
    """All that the module does, without its panel. See TrainingLogic."""


class AIDETrainingTest(ScriptedLoadableModuleTest):
    """The self-test: the test files in Testing/Python."""

    def runTest(self):
        """Run all tests of the module, as the button Reload and Test does."""
        from AIDETrainingLib.self_test import runSelfTests

        runSelfTests(Path(__file__).parent / "Testing" / "Python")
