"""Several patients at once, and segmentations measured against a reference."""

from __future__ import annotations

import threading
from unittest import mock

import module_fixture
import numpy as np
import qt
import SimpleITK as sitk
import slicer
from AIDESegmentationLib.batch_cases import BatchCase, casesOfFolder, casesOfScene
from AIDESegmentationLib.channel_selectors import proposedVolumes
from AIDESegmentationLib.examination import Examination, Segmented
from module_fixture import LONGEST_STALL, dice
from tiny_model import LIVER, SPLEEN, bodyWithOrgans

from AIDELib.errors import AIDEError
from AIDELib.segmentation_file import read_segmentation
from AIDELib.structure import Structure
from AIDESlicer.segment_import import addSegments
from AIDESlicer.volume_snapshot import snapshotOfFile
from AIDESlicer.worker_thread import _running


class BatchTest(module_fixture.ModuleTestCase):
    """Lists of patients from the scene and from folders, to the scene and to folders."""

    def test_all_ticked_volumes_of_the_scene_are_segmented(self):
        volumes = [self.addVolume(f"patient {number}", seed=number) for number in (11, 12, 13)]
        self.ui.batchCollapsibleButton.collapsed = False
        table = self.ui.batchTable
        self.assertEqual([table.item(row, 0).text() for row in range(3)], ["patient 11", "patient 12", "patient 13"])
        table.item(1, 0).setCheckState(qt.Qt.Unchecked)
        self.ui.batchButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertEqual(self.errors, [])
        self.assertEqual(
            [node.GetName() for node in self.segmentations()], ["patient 11 segmentation", "patient 13 segmentation"]
        )
        for seed, volume, segmentation in zip((11, 13), volumes[::2], self.segmentations(), strict=True):
            truth = bodyWithOrgans((32, 32, 12), seed)[1] == 1
            self.assertGreater(dice(self.segmentVoxels(segmentation, "liver", volume), truth), 0.85)
        self.assertEqual(
            self.ui.messageLabel.text,
            "2 of 2 segmentations are ready. "
            "Hidden, because another image is on the screen: 1. Show them in the module Data.",
        )
        self.assertEqual(self.imagesOnScreen(), {"patient 11"})
        self.assertEqual([node.GetDisplayNode().GetVisibility() for node in self.segmentations()], [1, 0])
        self.assertEqual(self.ui.volumesTable.item(0, 0).text(), "patient 11: liver")
        self.assertLess(self.worstStall, LONGEST_STALL)

    def test_volumes_that_come_later_are_listed_and_ticks_stay(self):
        self.addVolume("first", size=(4, 4, 4))
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchTable.item(0, 0).setCheckState(qt.Qt.Unchecked)
        second = self.addVolume("second", size=(4, 4, 4))
        self.waitFor(lambda: self.ui.batchTable.rowCount == 2, 10)
        states = [self.ui.batchTable.item(row, 0).checkState() for row in range(2)]
        self.assertEqual(states, [qt.Qt.Unchecked, qt.Qt.Checked])
        slicer.mrmlScene.RemoveNode(second)
        self.waitFor(lambda: self.ui.batchTable.rowCount == 1, 10)

    def test_from_folder_to_folder_one_broken_file_stops_no_other(self):
        source, target = self.folder / "images", self.folder / "results"
        source.mkdir()
        for name in ("a", "c"):
            self._writeImage(source / f"{name}.nii.gz")
        (source / "b.nii.gz").write_bytes(b"no image")
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchFromFolderCheckBox.checked = True
        self.ui.batchInputFolderEdit.currentPath = str(source)
        self.assertFalse(self.ui.batchButton.enabled)
        self.waitFor(lambda: self.ui.batchButton.enabled, 10)
        self.assertEqual([self.ui.batchTable.item(row, 0).text() for row in range(3)], ["a", "b", "c"])
        self.ui.batchToFolderCheckBox.checked = True
        self.ui.batchButton.click()
        self.assertEqual(self.errors, ["Choose the folder for the segmentations."])
        self.ui.batchOutputFolderEdit.currentPath = str(target)
        self.ui.batchButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertEqual(sorted(path.name for path in target.iterdir()), ["a.seg.nrrd", "c.seg.nrrd"])
        file = read_segmentation(target / "a.seg.nrrd")
        self.assertEqual([segment.name for segment in file.segments], ["liver", "spleen"])
        self.assertGreater(dice(file.mask(file.segments[0]), bodyWithOrgans((32, 32, 12), 99)[1] == 1), 0.85)
        self.assertEqual(len(self.errors), 2)
        self.assertIn("b.nii.gz cannot be read", self.errors[1])
        self.assertEqual(self.ui.messageLabel.text, "2 of 3 segmentations are ready.")
        self.assertEqual(self.segmentations(), [])

    def test_a_folder_that_is_typed_is_looked_through_beside_the_main_thread(self):
        looked, going = [], threading.Event()
        self.addCleanup(going.set)

        def look(folder, channels):
            looked.append((folder.name, threading.current_thread() is threading.main_thread()))
            if folder.name == "slow":
                going.wait(30)
            return [BatchCase(folder.name, (folder,))]

        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchFromFolderCheckBox.checked = True
        with mock.patch("AIDESegmentationLib.batch_section.casesOfFolder", look):
            self.ui.batchInputFolderEdit.currentPath = "/slow"
            self.assertEqual(self.ui.batchTable.item(0, 0).text(), "Looking through the folder …")
            self.ui.batchInputFolderEdit.currentPath = "/fast"
            self.waitFor(lambda: self.ui.batchButton.enabled, 10)
            self.ui.batchTable.item(0, 0).setCheckState(qt.Qt.Unchecked)
            self.assertEqual(set(looked), {("slow", False), ("fast", False)})
            going.set()
            self.waitFor(lambda: not _running, 10)
            self.assertEqual(self.ui.batchTable.item(0, 0).text(), "fast")
            # Looked through again, it is the same list.
            self.ui.batchRefreshButton.click()
            self.assertTrue(self.ui.batchButton.enabled)
            self.waitFor(lambda: not _running, 10)
        self.assertEqual(self.ui.batchTable.item(0, 0).checkState(), qt.Qt.Unchecked)
        self.ui.batchInputFolderEdit.currentPath = str(self.folder / "nowhere")
        self.waitFor(lambda: "There is no folder" in self.ui.batchTable.item(0, 0).text(), 10)
        self.assertFalse(self.ui.batchButton.enabled)
        self.assertEqual(self.errors, [])

    def test_two_patients_never_share_a_file(self):
        for name in ("Ada/1", "ada-1", "Ben", "Ben"):
            self.addVolume(name, size=(4, 4, 4))
        self._listScene(self.folder / "results")
        names = [one.output.name for one in self.widget.panel.batch.examinations()]
        self.assertEqual(names, ["Ada-1.seg.nrrd", "ada-1 2.seg.nrrd", "Ben.seg.nrrd", "Ben (2).seg.nrrd"])

    def test_existing_files_are_written_over_only_where_the_user_says_so(self):
        for name in ("Ada", "Ben"):
            self.addVolume(name, size=(4, 4, 4))
        (self.folder / "Ada.seg.nrrd").write_text("mine")
        self._listScene(self.folder)
        started, asked = [], []
        batch = self.widget.panel.batch
        self.addCleanup(setattr, batch, "_onStart", batch._onStart)
        batch._onStart = lambda ones: started.append([one.output.name for one in ones])
        answers = [qt.QMessageBox.Cancel, qt.QMessageBox.No, qt.QMessageBox.Yes]
        shown = slicer.util.messageBox
        slicer.util.messageBox = lambda text, **named: asked.append(text) or answers.pop(0)
        self.addCleanup(setattr, slicer.util, "messageBox", shown)
        self.ui.batchButton.click()
        self.assertEqual(started, [])
        self.assertIn("already holds 1 of these segmentations, Ada.seg.nrrd for one", asked[0])
        self.ui.batchButton.click()
        self.ui.batchButton.click()
        self.assertEqual(started, [["Ada 2.seg.nrrd", "Ben.seg.nrrd"], ["Ada.seg.nrrd", "Ben.seg.nrrd"]])
        self.assertEqual(self.errors, [])

    def _listScene(self, target) -> None:
        """List the volumes of the scene to be segmented into a folder."""
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchToFolderCheckBox.checked = True
        self.ui.batchOutputFolderEdit.currentPath = str(target)
        self.widget.panel.batch.refresh()

    def test_from_folder_to_scene_loads_the_images_too(self):
        source = self.folder / "images"
        source.mkdir()
        self._writeImage(source / "only.nii.gz")
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchFromFolderCheckBox.checked = True
        self.ui.batchInputFolderEdit.currentPath = str(source)
        self.waitFor(lambda: self.ui.batchButton.enabled, 10)
        self.ui.batchButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertEqual(self.errors, [])
        (segmentation,) = self.segmentations()
        volume = slicer.util.getNode("only")
        truth = bodyWithOrgans((32, 32, 12), 99)[1] == 1
        self.assertGreater(dice(self.segmentVoxels(segmentation, "liver", volume), truth), 0.85)

    def test_a_batch_of_files_leaves_the_screen_to_its_first_image(self):
        source = self.folder / "images"
        source.mkdir()
        for name in ("a", "b"):
            self._writeImage(source / f"{name}.nii.gz")
        self._segmentFolder(source)
        self.assertEqual(self.imagesOnScreen(), {"a"})
        self.assertEqual([node.GetDisplayNode().GetVisibility() for node in self.segmentations()], [1, 0])

    def test_single_slices_with_numbered_names_are_volumes_of_their_own(self):
        slices = {f"case_{number:02d}": bodyWithOrgans((32, 32, 1), number) for number in (1, 2)}
        for name, (image, _labels) in slices.items():
            (self.folder / "scans").mkdir(exist_ok=True)
            self._writeImage(self.folder / "scans" / f"{name}.nii.gz", image)
        self._segmentFolder(self.folder / "scans")
        for name, (image, labels) in slices.items():
            self._checkVolume(name, image, labels)

    def test_a_dicom_folder_comes_into_the_scene_with_its_segments(self):
        try:
            from Testing.dicom_files import write_series
        except ImportError:
            self.skipTest("What writes DICOM files is in the source code and needs highdicom.")
        image, labels = bodyWithOrgans((32, 32, 12), 99)
        write_series(self.folder / "scans" / "series", image, (2, 2, 4), (-30, -30, 7), np.eye(3))
        self._segmentFolder(self.folder / "scans")
        self._checkVolume("series", image, labels)
        self.assertEqual(slicer.util.getNode("series").GetOrigin(), (30, 30, 7))

    def _segmentFolder(self, folder) -> None:
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchFromFolderCheckBox.checked = True
        self.ui.batchInputFolderEdit.currentPath = str(folder)
        self.waitFor(lambda: self.ui.batchButton.enabled, 10)
        self.ui.batchButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning)
        self.assertEqual(self.errors, [])
        self.assertLess(self.worstStall, LONGEST_STALL)

    def _checkVolume(self, name: str, image, labels) -> None:
        volume, segmentation = slicer.util.getNode(name), slicer.util.getNode(f"{name} segmentation")
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume), image)
        self.assertGreater(dice(self.segmentVoxels(segmentation, "liver", volume), labels == 1), 0.85)

    def test_an_image_whose_segments_cannot_be_added_does_not_stay(self):
        file = self.folder / "image.nii.gz"
        self._writeImage(file)
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        tooSmall = np.ones((2, 2, 2), np.uint8)
        read = snapshotOfFile(file, "image")
        result = Segmented(Examination("image", (file,)), file, (LIVER,), {}, tooSmall, volumeRead=read)
        with self.assertRaisesRegex(AIDEError, "2 x 2 x 2 voxels"):
            self.logic.addToScene(result)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), nodes)

    def test_patients_with_several_channels_are_found_by_study(self):
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        for patient in ("Ada", "Ben"):
            study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), patient)
            for channel in ("T2w", "T1w") if patient == "Ada" else ("T1w",):
                node = self.addVolume(f"{patient} {channel}", size=(4, 4, 4))
                hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)
        cases = casesOfScene(("T1w", "T2w"))
        self.assertEqual([case.name for case in cases], ["Ada", "Ben"])
        self.assertEqual([image and image.GetName() for image in cases[0].images], ["Ada T1w", "Ada T2w"])
        self.assertEqual([image and image.GetName() for image in cases[1].images], ["Ben T1w", None])
        self.assertFalse(cases[1].isComplete)

    def test_no_case_is_made_of_two_patients(self):
        for name in ("Ada T1 pre", "Ada T2", "Ben T1", "Ben T2 fs", "Cem T1", "Cem T2"):
            self.addVolume(name, size=(4, 4, 4))
        cases = casesOfScene(("T1", "T2"))
        self.assertEqual(
            {case.name: [image and image.GetName() for image in case.images] for case in cases if case.isComplete},
            {"Cem": ["Cem T1", "Cem T2"]},
        )
        self.assertEqual({case.name for case in cases}, {"Ada pre", "Ada", "Ben", "Ben fs", "Cem"})
        self.assertEqual([volume.GetName() for volume in proposedVolumes(("T1", "T2"))], ["Cem T1", "Cem T2"])
        slicer.mrmlScene.RemoveNode(slicer.util.getNode("Cem T2"))
        self.assertEqual(proposedVolumes(("T1", "T2")), [None, None])

    def test_no_case_is_made_of_two_patients_in_one_folder(self):
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "new scans")
        for name in ("Ada T1", "Ben T2", "Cem T1", "Cem T2"):
            node = self.addVolume(name, size=(4, 4, 4))
            hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), folder)
        found = {case.name: [image and image.GetName() for image in case.images] for case in casesOfScene(("T1", "T2"))}
        self.assertEqual(
            found,
            {
                "new scans Ada": ["Ada T1", None],
                "new scans Ben": [None, "Ben T2"],
                "new scans Cem": ["Cem T1", "Cem T2"],
            },
        )
        slicer.mrmlScene.RemoveNode(slicer.util.getNode("Cem T1"))
        slicer.mrmlScene.RemoveNode(slicer.util.getNode("Cem T2"))
        self.assertFalse(any(case.isComplete for case in casesOfScene(("T1", "T2"))))

    def test_examinations_of_one_study_are_told_apart_by_their_names(self):
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "Ada")
        for name in ("T1 pre", "T2 pre", "T1 post", "T2 post", "localizer"):
            node = self.addVolume(name, size=(4, 4, 4))
            hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), study)
        cases = {case.name: [image.GetName() for image in case.images] for case in casesOfScene(("T1", "T2"))}
        self.assertEqual(cases, {"Ada pre": ["T1 pre", "T2 pre"], "Ada post": ["T1 post", "T2 post"]})

    def test_numbered_files_of_a_folder_are_channels(self):
        for name in ("p1_0000.nrrd", "p1_0001.nrrd", "p2_0000.nrrd", "p2_0001.nrrd", "p1.seg.nrrd", "notes.txt"):
            (self.folder / "library" / name).touch()
        cases = casesOfFolder(self.folder / "library", ("T1", "T2"))
        self.assertEqual([path.name for path in cases[0].images], ["p1_0000.nrrd", "p1_0001.nrrd"])
        self.assertEqual([case.name for case in cases], ["p1", "p2"])
        with self.assertRaisesRegex(AIDEError, "There is no folder"):
            casesOfFolder(self.folder / "nowhere", ("T1",))

    def _writeImage(self, path, array=None) -> None:
        image = sitk.GetImageFromArray(bodyWithOrgans((32, 32, 12), 99)[0] if array is None else array)
        image.SetSpacing((2, 2, 4))
        sitk.WriteImage(image, str(path))


class ComparisonTest(module_fixture.ModuleTestCase):
    """DSC, RAVD, ASSD and MSSD with values worked out by hand."""

    def test_two_boxes_one_voxel_apart(self):
        volume = self.addVolume("T1", size=(20, 20, 20), spacing=(2, 2, 2))
        first, second = self._box(0, volume), self._box(1, volume)
        self.ui.compareCollapsibleButton.collapsed = False
        self.assertFalse(self.ui.compareButton.enabled)
        self.ui.comparedSelector.setCurrentNode(second)
        self.ui.referenceSelector.setCurrentNode(first)
        self.ui.compareButton.click()
        self.assertEqual(self.ui.compareButton.text, "Comparing…")
        self.waitFor(lambda: not self.widget.panel.comparison.isRunning)
        self.assertEqual(self.errors, [])
        table = self.ui.compareTable
        row = [table.item(0, column).text() for column in range(5)]
        # Boxes of 10 x 10 x 10 voxels moved by one: they share 900 of 1000; the farthest surface is one voxel, 2 mm, away.
        self.assertEqual((row[0], row[1], row[2], row[4]), ("liver", "0.900", "0.000", "2.00"))
        self.assertLess(self.worstStall, LONGEST_STALL)

    def test_overlapping_segments_are_each_measured_whole(self):
        volume = self.addVolume("T1", size=(20, 20, 20), spacing=(2, 2, 2))
        cyst = Structure("cyst", (1,), (1, 2, 3), "")
        nodes = []
        for shift in (0, 1):
            node = self._box(shift, volume)
            inner = np.zeros((20, 20, 20), np.uint8)
            inner[8:12, 8:12, 8:12] = 1
            addSegments(inner, [cyst], volume, node)
            nodes.append(node)
        metrics = self.logic.compare(nodes[1], nodes[0])
        self.assertAlmostEqual(metrics["liver"]["DSC"], 0.9)
        self.assertAlmostEqual(metrics["cyst"]["DSC"], 1.0)

    def test_what_cannot_be_compared_is_said(self):
        volume = self.addVolume("T1", size=(20, 20, 20))
        first = self._box(0, volume)
        other = addSegments(np.ones((20, 20, 20), np.uint8), [SPLEEN], volume)
        with self.assertRaisesRegex(AIDEError, "have no segment of the same name .liver; spleen."):
            self.logic.compare(first, other)
        with self.assertRaisesRegex(AIDEError, "same as itself"):
            self.logic.compare(first, first)

    def _box(self, shift: int, volume):
        labels = np.zeros((20, 20, 20), np.uint8)
        labels[5:15, 5:15, 5 + shift : 15 + shift] = 1
        return addSegments(labels, [LIVER], volume)
