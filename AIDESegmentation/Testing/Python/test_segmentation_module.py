"""The module clicked through: models, Apply, Cancel, batch, comparison, scenes saved and closed."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import module_fixture
import numpy as np
import slicer
from module_fixture import LONGEST_STALL, dice
from tiny_model import bodyWithOrgans, tinyModel

from AIDELib.errors import AIDEError
from AIDELib.model_description import read_model_description
from AIDESlicer.patient_nodes import greyVolumes

Logic = slicer.vtkSlicerSegmentationsModuleLogic


class ApplyTest(module_fixture.ModuleTestCase):
    """One examination, segmented in the real background process."""

    def test_apply_adds_editable_segments_where_the_organs_are(self):
        volume = self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.assertEqual(self.widget.panel.channels.volumes, [volume])
        self.assertTrue(self.ui.applyButton.enabled, self.ui.applyButton.toolTip)
        self.ui.applyButton.click()
        self.assertFalse(self.ui.applyButton.enabled)
        self.waitFor(lambda: not self.widget.panel.run.isRunning)

        self.assertEqual(self.errors, [])
        self.assertLess(self.worstStall, LONGEST_STALL)
        (segmentation,) = self.segmentations()
        truth = bodyWithOrgans((32, 32, 12), 99)[1]
        self.assertGreater(dice(self.segmentVoxels(segmentation, "liver", volume), truth == 1), 0.9)
        self.assertGreater(dice(self.segmentVoxels(segmentation, "spleen", volume), truth == 2), 0.8)
        for identifier, structure in zip(
            segmentation.GetSegmentation().GetSegmentIDs(), read_model_description(self.model).structures, strict=True
        ):
            segment = segmentation.GetSegmentation().GetSegment(identifier)
            self.assertEqual(segment.GetName(), structure.name)
            self.assertEqual(tuple(round(255 * part) for part in segment.GetColor()), structure.color)
            self.assertEqual(Logic.GetSegmentStatus(segment), Logic.InProgress)
        table = self.ui.volumesTable
        self.assertEqual([table.item(row, 0).text() for row in range(table.rowCount)], ["liver", "spleen"])
        voxels = np.count_nonzero(self.segmentVoxels(segmentation, "liver", volume))
        self.assertAlmostEqual(float(table.item(0, 1).text()), voxels * 16 / 1000, places=1)
        self.assertIn("ready", self.ui.messageLabel.text)

    def test_a_segmentation_is_seen_over_its_own_image(self):
        first, second = self.addVolume("first"), self.addVolume("second")
        drawn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn by hand")
        drawn.CreateDefaultDisplayNodes()
        slicer.util.setSliceViewerLayers(background=second)
        shown = []
        for volume in (first, second):
            self.widget.panel.channels.widgets[0].setCurrentNode(volume)
            self.ui.applyButton.click()
            self.waitFor(lambda: not self.widget.panel.run.isRunning)
            visible = [one.GetName() for one in self.segmentations() if one.GetDisplayNode().GetVisibility()]
            shown.append((self.imagesOnScreen(), visible))
        self.assertEqual(
            shown,
            [
                ({"first"}, ["drawn by hand", "first segmentation"]),
                ({"second"}, ["drawn by hand", "second segmentation"]),
            ],
        )
        self.assertEqual(self.errors, [])
        slicer.mrmlScene.Clear()
        another = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of another scene")
        another.CreateDefaultDisplayNodes()
        self.addVolume("third")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertTrue(another.GetDisplayNode().GetVisibility())

    def test_existing_segmentation_keeps_its_other_segments(self):
        volume = self.addVolume("T1 axial")
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        segmentation.GetSegmentation().AddEmptySegment("own", "drawn by hand", [1, 1, 0])
        drawn = np.zeros((12, 32, 32), np.uint8)
        drawn[3:6, 3:20, 3:20] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, segmentation, "own", volume)
        self.ui.outputSelector.setCurrentNode(segmentation)
        self.ui.applyButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertEqual(self.segmentations(), [segmentation])
        np.testing.assert_array_equal(self.segmentVoxels(segmentation, "drawn by hand", volume), drawn > 0)
        self.assertGreater(np.count_nonzero(self.segmentVoxels(segmentation, "liver", volume)), 100)

    def test_probability_volumes_lie_on_the_image(self):
        volume = self.addVolume("T1 axial")
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = np.array([[0.995, -0.0998, 0, 5], [0.0998, 0.995, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        volume.SetAndObserveTransformNodeID(transform.GetID())
        segmentation = self.logic.segment(self.model, [volume], probabilities=True)
        self.assertIs(segmentation.GetParentTransformNode(), transform)
        for name in ("liver", "spleen"):
            probability = slicer.util.getNode(f"T1 axial {name} probability")
            self.assertIs(probability.GetParentTransformNode(), transform)
            values = slicer.util.arrayFromVolume(probability)
            self.assertTrue(values.min() >= 0 and values.max() <= 1)
            self.assertGreater(values[self.segmentVoxels(segmentation, name, volume)].min(), 0.3)
        # They are no images to be segmented or learned from.
        self.assertEqual(greyVolumes(), [volume])

    def test_second_channel_on_another_grid_under_another_transform(self):
        first = self.addVolume("sub01 T1")
        second = self.addVolume("sub01 T2", size=(40, 36, 10), spacing=(1.6, 1.8, 4.8))
        turn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        turn.SetMatrixTransformToParent(
            slicer.util.vtkMatrixFromArray(np.array([[1, 0, 0, 2], [0, 1, 0, -1], [0, 0, 1, 1], [0, 0, 0, 1.0]]))
        )
        second.SetAndObserveTransformNodeID(turn.GetID())
        segmentation = self.logic.segment(tinyModel(2), [first, second])
        truth = bodyWithOrgans((32, 32, 12), 99)[1]
        self.assertGreater(dice(self.segmentVoxels(segmentation, "liver", first), truth == 1), 0.7)
        with self.assertRaisesRegex(AIDEError, "'sub01 T1' has no volume for T2"):
            self.logic.segment(tinyModel(2), [first])
        with self.assertRaisesRegex(AIDEError, "has the same volume for two channels"):
            self.logic.segment(tinyModel(2), [first, first])

    def test_cancel_ends_the_process_and_leaves_the_scene_alone(self):
        self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        run = self.widget.panel.run
        self.waitFor(lambda: run._job._process is not None)
        process, folder, reference = run._job._process, run._job._folder.path, weakref.ref(run._job)
        self.ui.cancelButton.click()
        self.assertFalse(self.widget.panel.run.isRunning)
        self.assertTrue(self.ui.applyButton.enabled)
        self.waitFor(lambda: not process.isAlive() and not folder.exists(), 20)
        self.assertEqual((self.segmentations(), self.errors), ([], []))
        self.assertIn("Cancelled", self.ui.messageLabel.text)
        gc.collect()
        self.assertIsNone(reference())

    def test_images_that_an_ended_slicer_left_are_removed(self):
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        theirs, mine = (
            Path(slicer.app.temporaryPath) / f"AIDE-segmentation-{pid}-test" for pid in (ended.pid, os.getpid())
        )
        for folder in (theirs, mine):
            folder.mkdir(parents=True)
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            (folder / "0_0.nrrd").write_text("a patient")
        self.logic.segment(self.model, [self.addVolume("T1 axial")])
        self.assertFalse(theirs.exists())
        self.assertTrue((mine / "0_0.nrrd").exists())


class FaultTest(module_fixture.ModuleTestCase):
    """What goes wrong ends in a sentence, with the scene as before."""

    def test_truncated_model_is_listed_but_not_usable(self):
        broken = self.library / "broken.aide"
        broken.write_bytes(self.model.read_bytes()[:2000])
        self.widget.panel.models.show(broken)
        self.assertIn("cannot be used", self.ui.modelSelector.currentText)
        self.assertIn("broken.aide", self.ui.modelCardLabel.text)
        self.widget.panel.models._onSelected()
        self.assertFalse(self.ui.applyButton.enabled)
        self.assertIn("broken.aide", self.ui.applyButton.toolTip)
        with self.assertRaisesRegex(AIDEError, "broken.aide"):
            self.logic.segment(broken, [self.addVolume("T1")])

    def test_model_that_breaks_between_choice_and_start_is_reported_by_the_process(self):
        volume = self.addVolume("T1")
        data = bytearray(self.model.read_bytes())
        # The description lies at the front, the weights at the end.
        data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
        self.model.write_bytes(data)
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(AIDEError) as caught:
            self.logic.segment(self.model, [volume])
        self.assertIn("liver and spleen.aide", str(caught.exception))
        self.assertNotIn("Traceback", str(caught.exception))
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), nodes)

    def test_missing_channel_is_said_in_the_button(self):
        self.library.joinpath("two.aide").write_bytes(tinyModel(2).read_bytes())
        self.addVolume("sub01 T1")
        self.widget.panel.models.show(self.library / "two.aide")
        self.widget.panel.models._onSelected()
        self.assertEqual(
            [volume and volume.GetName() for volume in self.widget.panel.channels.volumes], ["sub01 T1", None]
        )
        self.assertFalse(self.ui.applyButton.enabled)
        # Slicer makes rich text of tooltips, so that they are wrapped.
        self.assertIn("Choose a volume for T2.", self.ui.applyButton.toolTip)

    def test_killed_process_is_noticed(self):
        self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        job = self.widget.panel.run._job
        self.waitFor(lambda: job._process is not None)
        os.killpg(job._process.pid, signal.SIGKILL)
        self.waitFor(lambda: not self.widget.panel.run.isRunning, 30)
        self.assertEqual(len(self.errors), 1)
        self.assertIn("ended unexpectedly", self.errors[0])
        self.assertEqual(self.segmentations(), [])
        self.assertTrue(self.ui.applyButton.enabled)

    def test_scene_closed_halfway(self):
        self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        job = self.widget.panel.run._job
        self.waitFor(lambda: job._process is not None)
        slicer.mrmlScene.Clear()
        self.assertFalse(job.isRunning)
        self.waitFor(lambda: not job._process.isAlive(), 20)
        self.assertEqual((self.segmentations(), self.errors), ([], []))
        self.assertFalse(self.ui.applyButton.enabled)

    def test_volume_removed_halfway(self):
        volume = self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        slicer.mrmlScene.RemoveNode(volume)
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertIn("'T1 axial' was removed while it was being segmented", self.errors[0])
        self.assertEqual(self.segmentations(), [])

    def test_module_reloaded_halfway(self):
        self.addVolume("T1 axial")
        self.widget.panel.showParameters()
        self.ui.applyButton.click()
        job = self.widget.panel.run._job
        self.waitFor(lambda: job._process is not None)
        self.widget.onReload()
        self.assertFalse(job.isRunning)
        self.assertIsNot(slicer.modules.AIDESegmentationWidget, self.widget)
        self.widget = slicer.modules.AIDESegmentationWidget
        self.waitFor(lambda: not job._process.isAlive(), 20)
        self.assertTrue(self.widget.ui.applyButton.enabled)

    def test_full_disk_is_said_plainly(self):
        def fail(*arguments):
            raise OSError(28, "No space left on device")

        volume = self.addVolume("T1 axial")
        import AIDESlicer.volume_snapshot as snapshots

        real = snapshots.replacing
        snapshots.replacing = fail
        self.addCleanup(setattr, snapshots, "replacing", real)
        with self.assertRaisesRegex(AIDEError, "'T1 axial' cannot be written .*No space left on device"):
            self.logic.segment(self.model, [volume])
