"""The whole way by clicks, with real training in the real background process on real nodes."""

import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import qt
import SimpleITK as sitk
import slicer
from AIDETrainingLib import device_list
from AIDETrainingLib.run_view import RunPhase
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from training_scene import TINY, addPatients, ball, openPanel, waitFor, widgets

from AIDELib.case import LabelQuality
from AIDELib.dataset import find_case
from AIDELib.dataset_file import load_dataset
from AIDELib.model_description import read_model_description
from AIDELib.run_folder import RunFolder
from AIDELib.segmentation_file import read_segmentation, write_segmentation
from AIDESlicer.background_process import BackgroundProcess
from AIDETraining import AIDETrainingLogic

LONGEST_STALL = 1.0


class TrainingWorkflowTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()
        # More threads than processors only make such small networks slower.
        patcher = mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1"})
        patcher.start()
        self.addCleanup(patcher.stop)
        self.errors = []
        patcher = mock.patch.object(slicer.util, "errorDisplay", lambda text, *_, **__: self.errors.append(text))
        patcher.start()
        self.addCleanup(patcher.stop)
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        self.run_ = RunFolder(self.folder / "run")
        self.module = openPanel()
        self.logic = self.module.logic
        self.ui = widgets(self.module, "TrainingSection")
        self.ui.runFolderEdit.setCurrentPath(str(self.run_.path))

    def tearDown(self):
        pid = self.run_.read_state().get("process")
        if pid and pid != os.getpid():
            BackgroundProcess(int(pid), self.run_.path / "process.log").kill()
        slicer.mrmlScene.Clear()
        self._temporary.cleanup()

    def waitForPhase(self, *phases):
        """Wait, and check that the application answered within a second all the while."""
        stall = waitFor(lambda: self.logic.runView().phase in phases or self.errors, f"the phase {phases}")
        self.assertEqual(self.errors, [])
        self.longest = max(self.longest, stall)
        self.assertLess(stall, LONGEST_STALL)

    def waitForText(self, text):
        """Wait until the panel shows a text."""
        waitFor(lambda: text in self.ui.stateLabel.text, f"'{text}' in the panel", 30)

    def test_dataset_training_review_and_export(self):
        self.longest = 0.0
        self._startPauseAndKill()
        self._resumeAndStop()
        self._findAgainAndFinish()
        self._review()
        self._continue()
        self._export()
        print(f"longest stall {self.longest:.2f} s")

    def _startPauseAndKill(self):
        addPatients(3, 2, 1)
        widgets(self.module, "DatasetSection").addFromSceneButton.click()
        self.logic.setSplit(["patient 2"], "test")
        parameters = self.logic.getParameterNode()
        parameters.changedSettings = json.dumps(TINY)
        self.ui.startButton.click()
        self.waitForPhase(RunPhase.RUNNING)
        self.assertFalse(self.ui.startButton.enabled)
        waitFor(lambda: self.ui.pauseButton.enabled, "the button Pause", 30)
        self.ui.pauseButton.click()
        self.waitForPhase(RunPhase.PAUSED)
        self.waitForText("Paused.")
        self.ui.resumeButton.click()
        self.waitForPhase(RunPhase.RUNNING)
        nodes = self._usersNodeIDs()
        BackgroundProcess(self.run_.read_state()["process"], self.run_.path / "process.log").kill()
        self.waitForPhase(RunPhase.KILLED)
        self.waitForText("ended unexpectedly")
        self.assertEqual(self._usersNodeIDs(), nodes)
        self.assertTrue(self.ui.resumeButton.enabled)

    def _resumeAndStop(self):
        self.ui.resumeButton.click()
        self.waitForPhase(RunPhase.RUNNING)
        waitFor(lambda: self.ui.stopButton.enabled, "the button Stop", 30)
        self.ui.stopButton.click()
        self.waitForPhase(RunPhase.STOPPED)
        self.waitForText("Stopped.")

    def _findAgainAndFinish(self):
        """Go on in the way of a Slicer that was restarted with another scene: the run is found by what was remembered."""
        self.logic.getParameterNode().runFolder = ""
        restarted = AIDETrainingLogic()
        self.assertEqual(restarted.getParameterNode().runFolder, str(self.run_.path))
        self.assertEqual(restarted.runView().phase, RunPhase.STOPPED)
        self.module.panel.training.lookAgain()
        self.ui.resumeButton.click()
        slicer.util.selectModule("Data")
        self.waitForPhase(RunPhase.FINISHED)
        slicer.util.selectModule("AIDETraining")
        self.waitForText("Finished.")
        waitFor(lambda: self.ui.deviceBox.findData("cpu") > 0, "the list of devices", 60)
        self.assertIn("Finished; the best epoch was", self.ui.logEdit.plainText)
        table = next(
            node
            for node in slicer.util.getNodesByClass("vtkMRMLTableNode")
            if node.GetName() == "AIDE training progress"
        )
        self.assertEqual((table.GetNumberOfRows(), table.GetNumberOfColumns()), (TINY["epochs"], 5))
        self.ui.plotDiceButton.click()
        selected = slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID()
        chart = slicer.mrmlScene.GetNodeByID(selected)
        self.assertEqual(chart.GetNumberOfPlotSeriesNodes(), 2)
        self.assertEqual(chart.GetXAxisRange(), (0, TINY["epochs"]))
        highest = max(table.GetTable().GetColumn(column).GetRange()[1] for column in (1, 2))
        # Above the curves there is room for the legend.
        self.assertFalse(chart.GetYAxisRangeAuto())
        self.assertGreater(chart.GetYAxisRange()[1], highest)

    def _review(self):
        ui = widgets(self.module, "ReviewSection")
        ui.reviewCollapsibleButton.collapsed = False
        self.assertEqual(ui.reviewTable.rowCount, 5)
        self.assertFalse(ui.reviewTable.item(0, 2).icon().isNull())
        true = self._suggestTrueLabel("patient 3", 3)
        nodes = self._nodeIDs()
        self._select("patient 3")
        self.assertEqual(self.errors, [])
        shown = next(
            node
            for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if node.GetName() == "Review: patient 3"
        )
        visible = [
            node.GetName()
            for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
            if node.GetDisplayNode().GetVisibility()
        ]
        self.assertEqual(visible, ["Review: patient 3"])
        names = [shown.GetSegmentation().GetNthSegment(index).GetName() for index in range(2)]
        self.assertEqual(names, ["liver (given)", "liver (corrected)"])
        voxels = np.count_nonzero(true != np.roll(true, 3, axis=1))
        self.assertIn(f"differ in {voxels} voxels", ui.differenceLabel.text)
        ui.acceptButton.click()
        self.assertEqual(self.errors, [])
        row = self.logic.table.rowNamed("patient 3")
        self.assertEqual(row.quality, LabelQuality.HQA)
        self.assertTrue(row.label.path.endswith("patient 3.accept.seg.nrrd"))
        accepted = read_segmentation(Path(row.label.path))
        self.assertTrue(np.array_equal(accepted.mask(accepted.segments[0]), true))
        self._select("patient 4")
        ui.keepButton.click()
        self.assertEqual(self.logic.table.rowNamed("patient 4").quality, LabelQuality.HQA)
        self._edit(ui)
        self.assertEqual(
            {case: decision.choice.value for case, decision in self.logic.review.decisions().items()},
            {"patient 3": "accept", "patient 4": "keep"},
        )
        self.logic.review.clear()
        self.assertEqual(self._nodeIDs() - nodes, set())
        own = slicer.util.getNode("patient 3 segmentation")
        self.assertTrue(own.GetDisplayNode().GetVisibility())

    def _suggestTrueLabel(self, case, seed):
        """Let the networks suggest the true label, which such a short training does not find, and return it."""
        dataset = load_dataset(self.run_.dataset_file)
        labels = sitk.GetImageFromArray(ball(seed).astype(np.uint8))
        labels.CopyInformation(sitk.ReadImage(str(find_case(dataset, case).images[0])))
        write_segmentation(labels, dataset.structures, self.run_.suggested_folder / f"{case}.seg.nrrd")
        return ball(seed)

    def _select(self, case):
        self.module.panel.review.select(case)
        # What is being read would be shown over the label that is edited.
        self.assertFalse(widgets(self.module, "ReviewSection").editButton.enabled)
        stall = waitFor(lambda: not self.module.panel.review.busy, "the case on the screen", 60)
        self.assertLess(stall, LONGEST_STALL)
        self.assertTrue(widgets(self.module, "ReviewSection").editButton.enabled)

    def _usersNodeIDs(self):
        """What the scene holds besides the plots, which grow whenever an epoch happens to end."""
        return {name for name in self._nodeIDs() if "Plot" not in name and "Table" not in name}

    def _nodeIDs(self):
        scene = slicer.mrmlScene
        return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}

    def _edit(self, ui):
        self._select("patient 5")
        ui.editButton.click()
        self.assertEqual(slicer.util.selectedModule(), "SegmentEditor")
        slicer.util.selectModule("AIDETraining")
        ui.useEditedButton.click()
        self.assertEqual(self.errors, [])
        self.assertEqual(self.logic.review.decisions()["patient 5"].choice.value, "edit")
        ui.withdrawButton.click()
        self.assertEqual(self.logic.table.rowNamed("patient 5").quality, LabelQuality.UNLABELLED)
        editor = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        slicer.mrmlScene.RemoveNode(editor)

    def _continue(self):
        ui = widgets(self.module, "ReviewSection")
        ui.moreEpochsBox.setValue(1)
        waitFor(lambda: ui.continueButton.enabled, "the button Continue training", 30)
        ui.continueButton.click()
        self.waitForPhase(RunPhase.STARTING, RunPhase.RUNNING)
        self.waitForPhase(RunPhase.FINISHED)
        last = [event for event in self.run_.events() if event["event"] == "epoch"][-1]
        self.assertEqual((last["epoch"], last["epochs"]), (TINY["epochs"] + 1, TINY["epochs"] + 1))
        self.assertIn("4 HQA", self.logic.runView().statement)

    def _export(self):
        ui = widgets(self.module, "ResultsSection")
        waitFor(lambda: ui.showTableButton.enabled, "the results", 30)
        ui.resultsCollapsibleButton.collapsed = False
        self.assertEqual([ui.meansTable.item(0, column).text() for column in range(2)], ["liver", "1"])
        ui.showTableButton.click()
        selected = slicer.app.applicationLogic().GetSelectionNode().GetActiveTableID()
        self.assertEqual(slicer.mrmlScene.GetNodeByID(selected).GetNumberOfRows(), 2)
        target = self.folder / "liver.aide"
        with mock.patch.object(qt.QFileDialog, "getSaveFileName", return_value=str(target)):
            ui.exportModelButton.click()
        self.assertEqual(self.errors, [])
        self.assertEqual(read_model_description(target).structures[0].name, "liver")
        self._openInSegmentation(ui)
        self._truncateModel(ui)

    def _openInSegmentation(self, ui):
        if not hasattr(slicer.modules, "aidesegmentation"):
            return
        ui.openSegmentationButton.click()
        self.assertEqual(self.errors, [])
        self.assertEqual(slicer.util.selectedModule(), "AIDESegmentation")
        chosen = slicer.util.getModuleLogic("AIDESegmentation").getParameterNode().modelFile
        self.assertEqual(chosen, str(self.run_.model_file))

    def _truncateModel(self, ui):
        whole = self.folder / "whole.aide"
        shutil.copyfile(self.run_.model_file, whole)
        self.run_.model_file.write_bytes(whole.read_bytes()[:200])
        target = self.folder / "half.aide"
        with mock.patch.object(qt.QFileDialog, "getSaveFileName", return_value=str(target)):
            ui.exportModelButton.click()
        self.assertEqual(len(self.errors), 1)
        self.assertIn("model.aide", self.errors[0])
        self.assertNotIn("Something went wrong", self.errors[0])
        self.assertFalse(target.exists())


class SceneClosedTest(ScriptedLoadableModuleTest):
    """The scene is closed while a run is prepared."""

    @mock.patch.object(device_list, "askInBackground")
    def test_preparing_ends_and_leaves_nothing_behind(self, ask):
        slicer.mrmlScene.Clear()
        module = openPanel()
        ask.assert_called()
        ui = widgets(module, "TrainingSection")
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            ui.runFolderEdit.setCurrentPath(str(run))
            addPatients(4, 0, 0)
            widgets(module, "DatasetSection").addFromSceneButton.click()
            ui.startButton.click()
            waitFor(lambda: run.exists(), "the writing of the dataset", 30)
            self.assertTrue(module.panel.training.busy)
            slicer.mrmlScene.Clear()
            self.assertFalse(module.panel.training.busy)
            slicer.app.processEvents()
            self.assertFalse(run.exists())
            self.assertEqual(module.logic.table.rows, [])
            self.assertFalse(ui.startButton.enabled)


if __name__ == "__main__":
    unittest.main()
