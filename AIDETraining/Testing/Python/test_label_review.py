"""The label review of a run that lies ready in a folder, without training."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import slicer
from AIDETrainingLib.case_row import Source
from AIDETrainingLib.case_rows import RECORD, rowOfCase
from AIDETrainingLib.stepwise import completeSteps
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from training_scene import addSegmentation, addVolume, ball

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import RunError
from AIDELib.presets import QUICK
from AIDELib.review import ReviewedCase, review_document
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.sealed_document import write_sealed
from AIDELib.segmentation_file import read_segmentation, write_segmentation
from AIDELib.structure import Structure
from AIDETraining import AIDETrainingLogic

LIVER = Structure("liver", (1,), (204, 102, 51))
CASES = ("a", "b")


class EditedLabelTest(ScriptedLoadableModuleTest):
    """A label that a person draws stays, is found again, and can be seen."""

    def setUp(self):
        slicer.mrmlScene.Clear()
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        self.run_ = writeRun(self.folder)
        self.logic = AIDETrainingLogic()
        self.logic.openRun(self.run_.path)
        self.logic.getParameterNode()

    def tearDown(self):
        slicer.mrmlScene.Clear()
        self._temporary.cleanup()

    def test_an_edited_label_is_found_after_a_restart_with_the_saved_scene(self):
        self._draw(self.logic.review.edit("a"))
        scene = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        slicer.util.loadScene(scene)
        names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLDisplayableNode")]
        self.assertEqual([name for name in names if name.startswith(("Review", "Label"))], ["Label of a"])
        restarted = AIDETrainingLogic()
        restarted.getParameterNode()
        self.assertIsNone(restarted.review.editedNode("b"))
        node = restarted.review.edit("a")
        self.assertIs(node, slicer.util.getNode("Label of a"))
        self.assertEqual(node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()).GetName(), "Review: a")
        restarted.review.useEdited("a")
        file = read_segmentation(restarted.review.decisions()["a"].label)
        self.assertEqual(np.count_nonzero(file.mask(file.segments[0])), 1)
        restarted.review.clear()
        self.assertEqual(slicer.util.getNodesByClass("vtkMRMLSegmentationNode"), [])

    def test_a_drawn_segment_that_the_run_does_not_know_is_not_lost(self):
        node = self.logic.review.edit("a")
        node.GetSegmentation().AddEmptySegment("", "Segment_1")
        with self.assertRaisesRegex(RunError, "The run has no segment Segment_1, only"):
            self.logic.review.useEdited("a")
        self.assertIs(self.logic.review.editedNode("a"), node)
        self.assertEqual(self.logic.review.decisions(), {})

    def test_an_erased_label_is_no_label(self):
        node = self.logic.review.edit("a")
        segment = node.GetSegmentation().GetNthSegmentID(0)
        slicer.util.updateSegmentBinaryLabelmapFromArray(np.zeros(ball(0).shape, np.uint8), node, segment)
        with self.assertRaisesRegex(RunError, "'a' is empty"):
            self.logic.review.useEdited("a")
        self.assertIs(self.logic.review.editedNode("a"), node)
        self.assertEqual(self.logic.review.decisions(), {})

    def test_an_edited_label_waits_while_another_run_is_looked_at(self):
        node = self.logic.review.edit("a")
        other = writeRun(self.folder / "other")
        self.logic.openRun(other.path)
        self.logic.getParameterNode()
        self.assertIsNone(self.logic.review.editedNode("a"))
        self.logic.openRun(self.run_.path)
        self.logic.getParameterNode()
        self.assertIs(self.logic.review.editedNode("a"), node)

    def test_an_edited_label_can_be_seen_after_another_case_was_looked_at(self):
        node = self.logic.review.edit("a")
        self.logic.review.show("b")
        self.assertFalse(node.GetDisplayNode().GetVisibility())
        self.assertIs(self.logic.review.edit("a"), node)
        self.assertTrue(node.GetDisplayNode().GetVisibility())
        node.GetDisplayNode().SetVisibility(False)
        self.logic.review.clear()
        self.assertFalse(node.GetDisplayNode().GetVisibility())

    def test_what_the_review_shows_is_no_image_of_a_patient(self):
        self.logic.review.edit("a")
        self.logic.addCasesFromScene()
        self.assertEqual(self.logic.table.rows, [])

    def _draw(self, node):
        mask = np.zeros(ball(0).shape, np.uint8)
        mask[1, 2, 3] = 1
        segment = node.GetSegmentation().GetNthSegmentID(0)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment)


class DecidedRowTest(ScriptedLoadableModuleTest):
    """A decision goes to the row of the case table that the case was written from, and to no other of its name."""

    def setUp(self):
        slicer.mrmlScene.Clear()
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        self.logic = AIDETrainingLogic()

    def tearDown(self):
        slicer.mrmlScene.Clear()
        self._temporary.cleanup()

    def test_a_row_of_the_same_name_in_another_data_set_keeps_its_label(self):
        run = writeRun(self.folder)
        addSegmentation(addVolume("a"), ball(0))
        self.logic.addCasesFromScene()
        self.logic.setQuality(["a"], "LQA")
        before = self.logic.table.rows
        self.logic.openRun(run.path)
        self.logic.acceptCorrection("a")
        self.assertEqual(self.logic.table.rows, before)
        self.assertEqual(list(self.logic.review.decisions()), ["a"])

    def test_a_run_made_elsewhere_knows_its_rows_by_their_files(self):
        run = writeRun(self.folder)
        self.logic.addCasesFromFiles([self.folder / "b.nrrd", self.folder / ".." / self.folder.name / "a.nrrd"])
        self.logic.table.updateRows([self.logic.table.rowNamed("a").key], name="renamed")
        self.logic.openRun(run.path)
        self.logic.acceptCorrection("a")
        labels = {row.name: row.label and Path(row.label.path).name for row in self.logic.table.rows}
        self.assertEqual(labels, {"b": None, "renamed": "a.accept.seg.nrrd"})

    def test_a_row_is_known_after_it_was_renamed_unless_its_image_is_another_one(self):
        for name in ("a", "b"):
            addSegmentation(addVolume(name), ball(0))
        self.logic.addCasesFromScene()
        rows = {row.name: row for row in self.logic.table.rows}
        self.logic.getParameterNode().runFolder = str(self.folder / "run")
        completeSteps(self.logic.prepareSteps())
        cases = {case.id: case for case in load_dataset(self.folder / "run" / "dataset.json").cases}
        self.logic.table.updateRows([rows["a"].key], name="c")
        self.logic.table.setImage(rows["b"].key, 0, Source.ofFile(self.folder / "other.nrrd"))
        found = {name: rowOfCase(self.logic.table, self.folder / "run", cases[name]) for name in cases}
        self.assertEqual(found["a"].name, "c")
        self.assertIsNone(found["b"])
        self.logic.table.removeRows([rows["a"].key])
        self.assertIsNone(rowOfCase(self.logic.table, self.folder / "run", cases["a"]))

    def test_a_damaged_record_is_none(self):
        run = writeRun(self.folder)
        for text in ("{", "[1]", '{"a": "no row"}'):
            (run.path / RECORD).write_text(text)
            self.assertIsNone(rowOfCase(self.logic.table, run.path, load_dataset(run.dataset_file).cases[0]))


def writeRun(folder):
    """Write a run whose networks suggest another label for each of its cases, and return it."""
    folder.mkdir(exist_ok=True)
    run = RunFolder(folder / "run")
    cases = []
    for seed, name in enumerate(CASES):
        image, label = folder / f"{name}.nrrd", folder / f"{name}_label.nrrd"
        sitk.WriteImage(sitk.GetImageFromArray(100 * ball(seed).astype(np.int16)), str(image))
        sitk.WriteImage(sitk.GetImageFromArray(np.roll(ball(seed), 3, axis=1).astype(np.uint8)), str(label))
        cases.append(Case(name, (image,), label, LabelQuality.HQA, Split.TRAIN))
    prepare_run(Dataset(("image",), (LIVER,), tuple(cases)), run, RunDescription("aide", QUICK))
    reviewed = []
    for seed, case in enumerate(cases):
        suggestion = f"suggested/{case.id}.seg.nrrd"
        run.suggested_folder.mkdir(exist_ok=True)
        write_segmentation(sitk.GetImageFromArray(ball(seed).astype(np.uint8)), (LIVER,), run.path / suggestion)
        reviewed.append(ReviewedCase(case.id, case.quality, 0.5, (0.5,), ((),), suggestion, str(case.label)))
    write_sealed(run.review_file, review_document(reviewed))
    return run


if __name__ == "__main__":
    unittest.main()
