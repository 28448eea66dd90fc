"""The scripted module AIDE Segmentation: volumes to editable segments, with models that AIDE trained."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path

import qt
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

try:
    import AIDELib  # noqa: F401
except ModuleNotFoundError:
    # Beside this module's folder in a plain checkout; in the build tree and the installed extension it is found by itself.
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from AIDESegmentationLib.module_reload import forgetParts
from AIDESegmentationLib.sample_images import registerSampleImages
from AIDESegmentationLib.segmentation_logic import SegmentationLogic
from AIDESegmentationLib.segmentation_panel import SegmentationPanel


class AIDESegmentation(ScriptedLoadableModule):
    """What Slicer shows about the module."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("AIDE Segmentation")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "SubjectHierarchy", "Terminologies", "Volumes"]
        self.parent.contributors = ["AIDE contributors"]
        self.parent.helpText = _(
            "Segments volumes with a model that was trained in the module AIDE Training. Choose a model and the volume of "
            "each of its channels, press Apply, and correct the segments in the Segment Editor. No result replaces a "
            "person's judgement."
        )
        self.parent.acknowledgementText = _(
            "The method is AIDE (annotation-efficient deep learning): Wang S. et al., Nature Communications 12, 5915 (2021)."
        )
        slicer.app.connect("startupCompleted()", registerSamples)


def registerSamples() -> None:
    """Offer sample images in the module Sample Data."""
    registerSampleImages(Path(__file__).parent / "Resources" / "Icons")


class AIDESegmentationWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel in Slicer: sets it up and follows the scene."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: AIDESegmentationLogic | None = None
        self.panel: SegmentationPanel | None = None
        self._parameterNode = None
        self._guiTag = None
        self._isListing = False

    def setup(self) -> None:
        """Make the panel; called when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/AIDESegmentation.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = AIDESegmentationLogic()
        self.panel = SegmentationPanel(self.ui, self.logic)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        for event in (slicer.mrmlScene.NodeAddedEvent, slicer.mrmlScene.NodeRemovedEvent):
            self.addObserver(slicer.mrmlScene, event, self.onNodesChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """End what runs; called when Slicer closes or the module is reloaded."""
        if self.panel is not None:
            self.panel.abandonJobs()
            self.panel.batch.abandon()
            self.panel.devices.abandon()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """Follow the choices again; called whenever the module is opened."""
        self.initializeParameterNode()
        self.panel.devices.ask()

    def exit(self) -> None:
        """Follow the choices no more; called when another module is opened. A job goes on."""
        self.setParameterNode(None)

    def onReload(self) -> None:
        """Reload the module with all its parts."""
        forgetParts()
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event) -> None:
        """End what runs: its results would have nowhere to go."""
        self.panel.abandonJobs()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        """Start anew with an empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodesChanged(self, caller, event) -> None:
        """List the patients of a batch again, once for all nodes that come and go together."""
        if self._isListing:
            return
        self._isListing = True
        qt.QTimer.singleShot(0, self._listAgain)

    def _listAgain(self) -> None:
        self._isListing = False
        if self._parameterNode is not None and not self.panel.run.isRunning:
            self.panel.batch.refreshIfShown()

    def onSceneStartImport(self, caller, event) -> None:
        """Look away: choices are read before the nodes that they name, and would be taken for choices of nothing."""
        self.setParameterNode(None)

    def onSceneEndImport(self, caller, event) -> None:
        """Show the choices of a loaded scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def setModel(self, file: str | Path) -> None:
        """Choose a model file, which need not lie in the library; for other modules and scripts."""
        self.logic.getParameterNode().modelFile = str(file)

    def initializeParameterNode(self) -> None:
        """Follow the choices of the scene, made where there are none yet."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameterNode) -> None:
        """Follow other choices; None for none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(
                self._parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.panel.showParameters
            )
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode.parameterNode, vtk.vtkCommand.ModifiedEvent, self.panel.showParameters)
        if self.panel is not None:
            self.panel.setParameterNode(parameterNode)


class AIDESegmentationLogic(SegmentationLogic):
    """The module's logic under the name that Slicer expects: `slicer.util.getModuleLogic("AIDESegmentation")`."""


class AIDESegmentationTest(ScriptedLoadableModuleTest):
    """The module's self-test: the test files beside it in a checkout or build tree."""

    def runTest(self) -> None:
        """Run all tests; a failure is an AssertionError with what failed."""
        folder = Path(__file__).parent / "Testing" / "Python"
        if not folder.is_dir():
            self.delayDisplay(_("The tests are not part of an installed extension; they are in the source code."))
            return
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        suite = unittest.TestSuite()
        for file in sorted(folder.glob("test_*.py")):
            try:
                suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(file.stem)))
            except ModuleNotFoundError as error:
                # Files for pytest hold tests that need no application; Slicer does not bring it.
                if error.name != "pytest":
                    raise
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        failed = [f"{test}: {trace}" for test, trace in (*result.errors, *result.failures)]
        if failed:
            raise AssertionError("\n".join(failed))
        self.delayDisplay(_("{count} tests passed.").format(count=result.testsRun))
