"""Cases found in a scene of real nodes, and written as a dataset."""

import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from AIDETrainingLib.dataset_export import exportDataset
from AIDETrainingLib.scene_sources import sourceNode
from AIDETrainingLib.segment_quality import qualityOf
from AIDETrainingLib.stepwise import StepRunner, completeSteps
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from training_scene import SHAPE, addPatients, addSegmentation, addVolume, ball, waitFor

from AIDELib.case import LabelQuality, Split
from AIDELib.case_volumes import read_case
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import AIDEError, DatasetError, RunError, VolumeError
from AIDELib.prediction_files import write_labels
from AIDELib.segmentation_file import is_unchecked
from AIDELib.structure import Structure
from AIDESlicer.own_nodes import NodeRole, markNode
from AIDESlicer.segment_import import addSegments
from AIDESlicer.volume_snapshot import VolumeSnapshot, snapshotOfVolume
from AIDESlicer.worker_thread import _running
from AIDETraining import AIDETrainingLogic


class SceneCollectorTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.logic = AIDETrainingLogic()

    def labels(self):
        return {
            row.name: None if row.label is None else sourceNode(row.label).GetName() for row in self.logic.table.rows
        }

    def test_segmentation_files_say_whether_a_person_vouches_for_them(self):
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        volume = addVolume("a")
        with tempfile.TemporaryDirectory() as folder:
            predicted = Path(folder) / "predicted.seg.nrrd"
            write_labels(
                snapshotOfVolume(volume).worldImage() * 0, [Structure("liver", (1,), (1, 2, 3), "a~b")], predicted
            )
            self.assertTrue(is_unchecked(predicted))
            node = slicer.util.loadSegmentation(str(predicted))
            segment = node.GetSegmentation().GetNthSegment(0)
            self.assertEqual(qualityOf(node), LabelQuality.LQA)
            saved = Path(folder) / "saved.seg.nrrd"
            for status, unchecked in ((logic.InProgress, True), (logic.Completed, False), (logic.Flagged, True)):
                logic.SetSegmentStatus(segment, status)
                self.assertTrue(slicer.util.saveNode(node, str(saved)))
                self.assertEqual(is_unchecked(saved), unchecked)
            self.assertTrue(slicer.util.saveNode(addSegmentation(volume, ball(0)), str(saved)))
            self.assertFalse(is_unchecked(saved))

    def test_status_of_segments_is_the_quality_of_cases(self):
        addPatients(2, 1, 1)
        self.logic.addCasesFromScene()
        qualities = [row.quality for row in self.logic.table.rows]
        self.assertEqual(qualities, [LabelQuality.HQA, LabelQuality.HQA, LabelQuality.LQA, LabelQuality.UNLABELLED])
        self.assertEqual({status.text for status in self.logic.statuses().values()}, {"Ready"})
        (structure,) = self.logic.table.structures
        self.assertEqual((structure.name, structure.color), ("liver", (204, 102, 51)))

    def test_what_a_model_drew_is_trusted_only_once_it_is_completed(self):
        volume = addVolume("a")
        structure = Structure("liver", (1,), (1, 2, 3))
        segmentation = addSegments(ball(0).astype(np.uint8), [structure], volume)
        self.logic.addCasesFromScene()
        self.assertEqual([row.quality for row in self.logic.table.rows], [LabelQuality.LQA])
        scene = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        slicer.util.loadScene(scene)
        (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        self.assertEqual(qualityOf(segmentation), LabelQuality.LQA)
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetSegmentStatus(segmentation.GetSegmentation().GetNthSegment(0), logic.Completed)
        self.assertEqual(qualityOf(segmentation), LabelQuality.HQA)

    def test_probability_volumes_are_no_cases(self):
        markNode(addVolume("a liver probability"), NodeRole.PROBABILITY)
        addVolume("a")
        self.logic.addCasesFromScene()
        self.assertEqual([row.name for row in self.logic.table.rows], ["a"])

    def test_segmentations_are_paired_by_reference_volume_before_name(self):
        first, second = addVolume("a"), addVolume("b")
        addSegmentation(second, ball(0), name="a")
        addSegmentation(first, ball(0), name="something")
        self.logic.addCasesFromScene()
        self.assertEqual(self.labels(), {"a": "something", "b": "a"})

    def test_without_reference_volume_the_study_decides_and_then_the_name(self):
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Smith")
        study = hierarchy.CreateStudyItem(patient, "2024")
        volumes = [addVolume("T1 axial"), addVolume("knee")]
        segmentations = [addSegmentation(volumes[0], ball(0), name) for name in ("drawn", "knee_seg", "lost")]
        for node in segmentations:
            node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
        for node in (volumes[0], segmentations[0]):
            hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)
        collected = self.logic.addCasesFromScene()
        self.assertEqual(self.labels(), {"T1 axial": "drawn", "knee": "knee_seg"})
        self.assertEqual([row.patient for row in self.logic.table.rows], ["Smith", "knee"])
        self.assertEqual(len(collected.notes), 1)
        self.assertIn("'lost' fits no volume", collected.notes[0])

    def test_a_volume_that_names_no_channel_completes_a_case_of_its_patient_alone(self):
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "new scans")
        patient = hierarchy.CreateSubjectItem(folder, "Ada")
        self.logic.table.setChannels(["T1", "T2"])
        for name, parent in (("head T1", patient), ("unnamed", patient), ("p2_T1", folder), ("knee", folder)):
            hierarchy.SetItemParent(hierarchy.GetItemByDataNode(addVolume(name)), parent)
        self.logic.addCasesFromScene()
        images = [[image and sourceNode(image).GetName() for image in row.images] for row in self.logic.table.rows]
        self.assertEqual(images, [["head T1", "unnamed"], ["p2_T1", None], ["knee", None]])

    def test_channels_are_seen_in_the_names(self):
        for name in ("p1_T1", "p1_T2", "p2_T2", "p2_T1", "p3_T1"):
            addVolume(name)
        addSegmentation(slicer.util.getNode("p2_T2"), ball(0))
        self.logic.addCasesFromScene()
        table = self.logic.table
        self.assertEqual(table.channels, ["T1", "T2"])
        names = [
            (row.name, [image and sourceNode(image).GetName() for image in row.images], row.quality.value)
            for row in table.rows
        ]
        self.assertEqual(
            names,
            [
                ("p1", ["p1_T1", "p1_T2"], "unlabelled"),
                ("p2", ["p2_T1", "p2_T2"], "HQA"),
                ("p3", ["p3_T1", None], "unlabelled"),
            ],
        )
        self.assertEqual(self.logic.statuses()["p3"].text, "No volume for channel T2")
        with self.assertRaisesRegex(DatasetError, "'p3' has no volume for channel 'T2'"):
            self.logic.statement()

    def test_volumes_that_are_named_by_their_channels_alone_are_one_case(self):
        for name in ("T1", "T2"):
            addVolume(name)
        self.logic.table.setChannels(["T1", "T2"])
        self.logic.addCasesFromScene()
        names = [[sourceNode(image).GetName() for image in row.images] for row in self.logic.table.rows]
        self.assertEqual(names, [["T1", "T2"]])

    def test_what_was_added_is_not_added_again_but_gets_its_segmentation(self):
        volume = addVolume("a")
        self.logic.addCasesFromScene()
        addSegmentation(volume, ball(0), status=slicer.vtkSlicerSegmentationsModuleLogic.Flagged)
        collected = self.logic.addCasesFromScene()
        self.assertEqual((collected.added, len(collected.completed)), ([], 1))
        self.assertEqual([row.quality for row in self.logic.table.rows], [LabelQuality.LQA])

    def test_a_removed_volume_is_told_in_words(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        slicer.mrmlScene.RemoveNode(slicer.util.getNode("patient 0"))
        self.assertEqual(self.logic.statuses()["patient 0"].text, "image: it was removed from the scene")

    def test_saved_and_reloaded_scene_restores_the_table(self):
        addPatients(1, 1, 1)
        self.logic.addCasesFromScene()
        self.logic.setSplit(["patient 1"], "val")
        self.logic.table.updateRows([self.logic.table.rows[2].key], domain='3 T "B" <ä>')
        before = [
            (row.name, sourceNode(row.images[0]).GetName(), row.quality, row.split, row.domain, row.key)
            for row in self.logic.table.rows
        ]
        structures = list(self.logic.table.structures)
        with tempfile.TemporaryDirectory() as folder:
            scene = str(Path(folder) / "scene.mrb")
            self.assertTrue(slicer.util.saveScene(scene))
            slicer.mrmlScene.Clear()
            self.assertEqual(AIDETrainingLogic().table.rows, [])
            # What is in the scene already takes the IDs that the nodes had.
            addVolume("other")
            slicer.util.loadNodeFromFile(scene, "SceneFile", {"clear": False})
        table = AIDETrainingLogic().table
        after = [
            (row.name, sourceNode(row.images[0]).GetName(), row.quality, row.split, row.domain, row.key)
            for row in table.rows
        ]
        self.assertEqual(after, before)
        self.assertEqual(table.structures, structures)


class DatasetExportTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()
        self.logic = AIDETrainingLogic()
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name) / "run"

    def tearDown(self):
        self._temporary.cleanup()

    def test_masks_are_voxel_identical_on_an_oblique_flipped_volume_with_another_channel_under_a_transform(self):
        first = addVolume("p_T1")
        matrix = vtk.vtkMatrix4x4()
        turn = np.deg2rad(20)
        direction = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, -1]])
        for row in range(3):
            for column in range(3):
                matrix.SetElement(row, column, direction[row, column] * (0.7, 1.3, 4.0)[column])
        first.SetIJKToRASMatrix(matrix)
        second = addVolume("p_T2", shape=(6, 30, 26))
        move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        shift = vtk.vtkTransform()
        shift.RotateX(30)
        shift.Translate(5, -7, 11)
        move.SetMatrixTransformToParent(shift.GetMatrix())
        mask = ball(0)
        segmentation = addSegmentation(first, mask)
        for node in (first, second, segmentation):
            node.SetAndObserveTransformNodeID(move.GetID())
        self.logic.table.setChannels(["T1", "T2"])
        self.logic.addCasesFromScene()
        dataset = completeSteps(exportDataset(self.logic.table, self.folder))
        volumes = read_case(dataset.cases[0], dataset)
        self.assertTrue(np.array_equal(sitk.GetArrayFromImage(volumes.label), mask.astype(np.uint8)))
        place = volumes.channels[0].TransformContinuousIndexToPhysicalPoint((10.0, 12.0, 1.5))
        expected = shift.TransformPoint(matrix.MultiplyPoint((10.0, 12.0, 1.5, 1.0))[:3])
        np.testing.assert_allclose(place, np.array(expected) * (-1, -1, 1), atol=1e-3)

    def test_only_what_is_used_is_written_and_files_stay_where_they_are(self):
        addPatients(1, 0, 2)
        self.logic.addCasesFromScene()
        file = Path(self._temporary.name) / "onDisk.nii.gz"
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros(SHAPE, np.float32)), str(file))
        self.logic.addCasesFromFiles([file])
        self.logic.setSplit(["patient 1"], "test")
        dataset = completeSteps(exportDataset(self.logic.table, self.folder))
        self.assertEqual([case.id for case in dataset.cases], ["patient 0", "patient 2", "onDisk"])
        self.assertEqual(dataset.cases[2].images, (file,))
        self.assertEqual(dataset.cases[0].split, Split.TRAIN)
        written = sorted(path.name for path in self.folder.rglob("*") if path.is_file())
        self.assertEqual(written, ["patient 0.seg.nrrd", "patient 0_0000.nrrd", "patient 2_0000.nrrd"])

    def test_a_failure_leaves_nothing_behind(self):
        addPatients(2, 0, 0)
        self.logic.addCasesFromScene()
        texts = []

        def removeLater(step):
            texts.append(step.text)
            if len(texts) == 2:
                slicer.mrmlScene.RemoveNode(slicer.util.getNode("patient 1"))

        with self.assertRaisesRegex(DatasetError, "'patient 1'.*removed from the scene"):
            completeSteps(exportDataset(self.logic.table, self.folder), removeLater)
        self.assertEqual(texts, ["Writing case patient 0"] * 2)
        self.assertFalse(self.folder.exists())

    def test_cancelling_it_halfway_leaves_nothing_behind(self):
        addPatients(2, 0, 0)
        self.logic.addCasesFromScene()
        steps, outcomes = [], []
        runner = StepRunner(
            exportDataset(self.logic.table, self.folder), steps.append, outcomes.append, outcomes.append
        )
        waitFor(lambda: len(steps) == 3, "the third step", 30)
        self.assertTrue(list(self.folder.rglob("patient 0.seg.nrrd")))
        runner.cancel()
        self.assertFalse(self.folder.exists())
        waitFor(lambda: not _running, "the end of the thread", 30)
        self.assertFalse(self.folder.exists())
        self.assertEqual((len(steps), outcomes), (3, []))

    def test_images_are_written_beside_the_main_thread(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        threads, outcomes = [], []

        def write(snapshot, path):
            threads.append(threading.current_thread())
            return original(snapshot, path)

        original = VolumeSnapshot.write
        with mock.patch.object(VolumeSnapshot, "write", write):
            runner = StepRunner(
                exportDataset(self.logic.table, self.folder), lambda step: None, outcomes.append, outcomes.append
            )
            waitFor(lambda: not runner.running, "the dataset", 30)
        self.assertEqual([case.id for case in outcomes[0].cases], ["patient 0"])
        self.assertEqual([thread is threading.main_thread() for thread in threads], [False])

    def test_a_table_edited_while_its_images_are_written_gives_the_dataset_that_was_begun(self):
        addPatients(2, 0, 0)
        self.logic.addCasesFromScene()
        self.logic.getParameterNode().runFolder = str(self.folder)
        table = self.logic.table
        completeSteps(
            self.logic.prepareSteps(),
            lambda _step: [table.updateRows([row.key], name=f"{row.name}!") for row in table.rows],
        )
        self.assertEqual(
            [case.id for case in load_dataset(self.folder / "dataset.json").cases], ["patient 0", "patient 1"]
        )

    def test_a_full_disk_is_told_and_leaves_nothing_behind(self):
        try:
            import resource
        except ImportError:
            self.skipTest("This system cannot limit the size of files.")
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            with self.assertRaisesRegex(VolumeError, "'patient 0' cannot be written"):
                completeSteps(exportDataset(self.logic.table, self.folder))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.assertFalse(self.folder.exists())
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), nodes)

    def test_a_folder_with_files_is_never_written_to(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        (self.folder / "dataset").mkdir(parents=True)
        (self.folder / "dataset" / "mine.txt").write_text("mine")
        with self.assertRaisesRegex(RunError, "holds files already"):
            completeSteps(exportDataset(self.logic.table, self.folder))
        self.assertEqual((self.folder / "dataset" / "mine.txt").read_text(), "mine")

    def test_a_table_that_cannot_be_trained_on_is_refused_before_anything_is_written(self):
        addPatients(1, 0, 1)
        self.logic.addCasesFromScene()
        self.logic.setSplit(["patient 0"], "test")
        self.logic.getParameterNode().runFolder = str(self.folder)
        with self.assertRaisesRegex(DatasetError, "No training case has a label"):
            completeSteps(self.logic.prepareSteps())
        self.assertFalse(self.folder.exists())

    def test_a_preparation_that_fails_in_its_last_step_leaves_an_empty_folder_empty(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        self.folder.mkdir()
        self.logic.getParameterNode().runFolder = str(self.folder)
        refusal = RunError("full")
        with (
            mock.patch("AIDETrainingLib.training_controller.prepare_run", side_effect=refusal),
            self.assertRaises(RunError),
        ):
            completeSteps(self.logic.prepareSteps())
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertIn("1 HQA", completeSteps(self.logic.prepareSteps()))

    def test_an_empty_segmentation_is_told_with_its_case(self):
        addSegmentation(addVolume("a"), np.zeros(SHAPE))
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        with self.assertRaisesRegex(AIDEError, "'a'"):
            completeSteps(exportDataset(self.logic.table, self.folder))

    def test_no_structure_is_told(self):
        addVolume("a")
        self.logic.addCasesFromScene()
        with self.assertRaisesRegex(DatasetError, "no structure to learn"):
            completeSteps(exportDataset(self.logic.table, self.folder))


if __name__ == "__main__":
    unittest.main()
