"""What the tests of the module share: the module opened with a library of its own, volumes, and waiting."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from tiny_model import bodyWithOrgans, tinyModel

MODULE_FILE = Path(__file__).resolve().parents[2] / "AIDESegmentation.py"
# Longest time that the main thread may not answer.
LONGEST_STALL = 1.0


class ModuleTestCase(ScriptedLoadableModuleTest):
    """Opens the module; every test has an empty scene and a library with one model."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()
        if not hasattr(slicer.modules, "aidesegmentation"):
            slicer.app.moduleManager().load_scripted_module(str(MODULE_FILE))
        self.folder = Path(tempfile.mkdtemp(prefix="AIDE-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.library = self.folder / "library"
        self.library.mkdir()
        self.model = self.library / "liver and spleen.aide"
        shutil.copyfile(tinyModel(), self.model)
        self.errors: list[str] = []
        self._catchMessages()
        slicer.app.userSettings().setValue("AIDESegmentation/ModelLibrary", str(self.library))
        slicer.util.selectModule("AIDESegmentation")
        self.widget = slicer.modules.AIDESegmentationWidget
        self.widget.panel.models.show(None)
        self.widget.panel.showParameters()
        self.ui = self.widget.ui
        self.logic = self.widget.logic
        for section in (self.ui.batchCollapsibleButton, self.ui.compareCollapsibleButton):
            section.collapsed = True
        self.ui.batchFromFolderCheckBox.checked = self.ui.batchToFolderCheckBox.checked = False
        self.ui.batchInputFolderEdit.currentPath = self.ui.batchOutputFolderEdit.currentPath = ""
        self.worstStall = 0.0

    def tearDown(self) -> None:
        self.widget.panel.abandonJobs()

    def waitFor(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        """Let Slicer work until a condition holds; fail after `seconds`. Remembers the longest time without an answer."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited {seconds} s in vain; messages: {self.errors}")
            started = time.monotonic()
            slicer.app.processEvents()
            self.worstStall = max(self.worstStall, time.monotonic() - started)
            time.sleep(0.005)

    def addVolume(self, name: str, seed: int = 99, size=(32, 32, 12), spacing=(2.0, 2.0, 4.0)):
        """Return a volume node with two organs, in the orientation in which scanners store axial slices."""
        image, _labels = bodyWithOrgans(size, seed)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        slicer.util.updateVolumeFromArray(node, image)
        node.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
        node.SetSpacing(*spacing)
        node.SetOrigin(20, 30, -10)
        node.CreateDefaultDisplayNodes()
        return node

    def segmentVoxels(self, segmentation, name: str, volume) -> np.ndarray:
        """Return a segment's voxels (Z, Y, X) on a volume, as Slicer exports them."""
        identifier = segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)
        return slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, identifier, volume) > 0

    def imagesOnScreen(self) -> set[str]:
        """Return the names of the background volumes of the slice views."""
        layers = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        nodes = [slicer.mrmlScene.GetNodeByID(one.GetBackgroundVolumeID() or "") for one in layers]
        return {node.GetName() for node in nodes if node is not None}

    def segmentations(self) -> list:
        """Return the segmentation nodes of the scene."""
        return list(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))

    def _catchMessages(self) -> None:
        """Keep the messages that the user would see."""
        shown = slicer.util.errorDisplay

        def catch(text: str, *arguments, **named) -> None:
            self.errors.append(text)

        slicer.util.errorDisplay = catch
        self.addCleanup(setattr, slicer.util, "errorDisplay", shown)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Dice coefficient of two masks."""
    return 2 * np.count_nonzero(first & second) / max(1, np.count_nonzero(first) + np.count_nonzero(second))
