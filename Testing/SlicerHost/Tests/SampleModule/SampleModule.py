"""A module as anyone would write it, for the tests of the host."""

import enum
from pathlib import Path
from typing import Annotated

import ctk
import qt
import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin


class Preset(enum.Enum):
    QUICK = "quick"
    CAREFUL = "careful"

    def label(self):
        return self.value.capitalize()


@parameterNodeWrapper
class SampleParameters:
    inputVolume: slicer.vtkMRMLScalarVolumeNode
    epochs: Annotated[int, WithinRange(1, 100)] = 10
    threshold: float = 0.5
    invert: bool = False
    caseName: str = "unnamed"
    folder: Path
    preset: Preset = Preset.QUICK
    device: Annotated[str, Choice(["cpu", "cuda"])] = "cpu"
    channels: list[str]


class SampleModule(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Sample")
        self.parent.categories = ["Testing"]


class SampleModuleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.entered = 0

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SampleModule.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SampleModuleLogic()
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneReplaced)
        # The parameter node is read before the nodes it refers to, and says nothing when they have come.
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneReplaced)
        self.connectParameters()

    def connectParameters(self):
        self.parameters = self.logic.getParameterNode()
        self.guiTag = self.parameters.connectGui(self.ui)

    def onSceneReplaced(self, caller, event):
        self.parameters.disconnectGui(self.guiTag)
        self.connectParameters()

    def enter(self):
        self.entered += 1

    def exit(self):
        self.parameters.disconnectGui(self.guiTag)

    def cleanup(self):
        self.parameters.disconnectGui(self.guiTag)
        self.removeObservers()

    def onApply(self):
        self.ui.statusLabel.text = _("{count} epochs").format(count=self.parameters.epochs)


class SampleModuleLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return SampleParameters(super().getParameterNode())


class SampleModuleTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_parameters()

    def test_parameters(self):
        self.delayDisplay("Starting")
        self.assertEqual(SampleModuleLogic().getParameterNode().epochs, 10)
        self.assertTrue(hasattr(qt, "QTimer") and hasattr(ctk, "ctkComboBox"))
