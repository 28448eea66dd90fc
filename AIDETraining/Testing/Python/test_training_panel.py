"""The panel clicked through, without training.

Times are those of the processor, so that other programs on the machine do not count.
"""

import json
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import qt
import SimpleITK as sitk
import slicer
from AIDETrainingLib import device_list, training_section
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.run_view import RunPhase
from AIDETrainingLib.scene_sources import sourceNode
from AIDETrainingLib.stepwise import completeSteps
from AIDETrainingLib.training_controller import TrainingController
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from training_scene import SHAPE, TINY, addPatients, addSegmentation, addVolume, ball, openPanel, waitFor, widgets

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import save_dataset
from AIDELib.errors import AIDEError
from AIDELib.prediction_files import write_labels
from AIDELib.presets import PRESETS, QUICK
from AIDELib.run_folder import RunFolder
from AIDELib.segmentation_file import write_segmentation
from AIDELib.structure import Structure
from AIDELib.watched_folder import Status
from AIDETraining import AIDETrainingLogic


def writeImage(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
    return path


class PanelTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self._temporary.name)
        # What asks for devices loads torch, which takes longer than all the rest; the workflow test does it for real.
        patcher = mock.patch.object(device_list, "askInBackground")
        self.askInBackground = patcher.start()
        self.addCleanup(patcher.stop)
        self.module = openPanel()
        self.ui = widgets(self.module, "DatasetSection")
        self.training = widgets(self.module, "TrainingSection")
        self.logic = self.module.logic
        self.training.runFolderEdit.setCurrentPath(str(self.folder / "run"))
        self.errors = []
        patcher = mock.patch.object(slicer.util, "errorDisplay", lambda text, *_, **__: self.errors.append(text))
        patcher.start()
        self.addCleanup(patcher.stop)

    def tearDown(self):
        slicer.mrmlScene.Clear()
        self._temporary.cleanup()

    def column(self, title):
        table = self.ui.casesTable
        titles = [table.horizontalHeaderItem(index).text() for index in range(table.columnCount)]
        return [table.item(row, titles.index(title)).text() for row in range(table.rowCount)]

    def selectCases(self, *names):
        self.module.panel.dataset.rows.select([self.logic.table.rowNamed(name).key for name in names])

    def choose(self, box, data):
        """Choose an entry of a combo box as a user does."""
        index = box.findData(data)
        self.assertGreaterEqual(index, 0)
        box.setCurrentIndex(index)
        box.activated.emit(index)

    def type(self, edit, text):
        edit.setText(text)
        edit.setModified(True)
        edit.editingFinished.emit()

    def test_a_state_that_cannot_be_read_is_the_one_before_or_a_sentence(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        completeSteps(self.logic.prepareSteps())
        run = RunFolder(self.folder / "run")
        run.write_state(Status.FINISHED)
        self.assertEqual(self.logic.runView().phase, RunPhase.FINISHED)
        for file in (run.state_file, run.path / "spare" / run.state_file.name):
            file.write_text("{")
        self.assertEqual(self.logic.runView().phase, RunPhase.FINISHED)
        view = TrainingController().view(run.path)
        self.assertEqual(view.phase, RunPhase.FAILED)
        self.assertIn("state.json cannot be used", view.text)

    def test_a_finished_run_costs_no_look_into_the_systems_table(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        completeSteps(self.logic.prepareSteps())
        run = RunFolder(self.folder / "run")
        with mock.patch("AIDESlicer.background_process.commandOf") as commandOf:
            for status, looks in ((Status.FINISHED, 0), (Status.STOPPED, 0), (Status.RUNNING, 1)):
                run.write_state(status)
                self.logic.runView()
                self.assertEqual(commandOf.call_count, looks)

    def test_an_error_while_watching_is_shown_once_though_timers_go_on_behind_the_message(self):
        section, shown = self.module.panel.training, []

        def show(text, *_arguments, **_named):
            shown.append(text)
            section._look()

        with (
            mock.patch.object(slicer.util, "errorDisplay", show),
            mock.patch.object(type(self.logic), "runView", side_effect=AIDEError("damaged")),
        ):
            section._look()
        self.assertEqual(shown, ["damaged"])
        self.assertFalse(section._timer.isActive())
        section.lookAgain()
        self.assertTrue(section._timer.isActive())

    def test_what_another_program_does_with_the_run_counts_more_than_an_older_start_here(self):
        addPatients(1, 0, 0)
        self.logic.addCasesFromScene()
        completeSteps(self.logic.prepareSteps())
        run = RunFolder(self.folder / "run")
        with mock.patch("AIDESlicer.background_process.pythonExecutable", return_value="/bin/false"):
            self.logic.controller.start(run.path, "cpu")
        waitFor(lambda: self.logic.runView().phase is RunPhase.FAILED, "the end of the process", 30)
        run.write_state(Status.FINISHED)
        self.assertEqual(self.logic.runView().phase, RunPhase.FINISHED)

    def test_the_table_shows_the_scene(self):
        addPatients(2, 1, 1)
        self.ui.addFromSceneButton.click()
        self.assertEqual(self.column("Case"), ["patient 0", "patient 1", "patient 2", "patient 3"])
        self.assertEqual(self.column("Quality"), ["HQA", "HQA", "LQA", "unlabelled"])
        self.assertEqual(self.column("Segmentation")[2:], ["patient 2 segmentation", ""])
        self.assertEqual(set(self.column("Status")), {"Ready"})
        self.assertIn("4 cases: 2 HQA, 1 LQA, 1 unlabelled.", self.ui.summaryLabel.text)
        self.assertIn("the 1 unlabelled are labelled first", self.training.statementLabel.text)
        self.assertEqual(self.ui.structuresTable.item(0, 0).text(), "liver")

    def test_several_rows_are_edited_together(self):
        addPatients(3, 0, 0)
        self.ui.addFromSceneButton.click()
        self.selectCases("patient 0", "patient 2")
        self.choose(self.ui.qualityBox, "LQA")
        self.choose(self.ui.splitBox, "val")
        self.type(self.ui.domainEdit, "1.5 T")
        self.assertEqual(self.column("Quality"), ["LQA", "HQA", "LQA"])
        self.assertEqual(self.column("Used for"), ["validation", "training", "validation"])
        self.assertEqual(self.column("Scanner or hospital"), ["1.5 T", "", "1.5 T"])
        self.type(self.ui.patientEdit, "Smith")
        self.assertEqual(self.column("Patient"), ["Smith", "patient 1", "Smith"])
        self.assertFalse(self.ui.nameEdit.enabled)

    def test_a_name_that_is_taken_is_refused_in_words(self):
        addPatients(2, 0, 0)
        self.ui.addFromSceneButton.click()
        self.selectCases("patient 0")
        self.type(self.ui.nameEdit, "patient 1")
        self.assertEqual(self.errors, ["There is already a case 'patient 1'; give each case a name of its own."])
        self.assertEqual(self.ui.nameEdit.text, "patient 0")

    def test_removal_and_undo(self):
        addPatients(3, 0, 0)
        self.ui.addFromSceneButton.click()
        self.selectCases("patient 1")
        self.ui.removeButton.click()
        self.assertEqual(self.column("Case"), ["patient 0", "patient 2"])
        self.ui.undoButton.click()
        self.assertEqual(self.column("Case"), ["patient 0", "patient 1", "patient 2"])
        self.assertFalse(self.ui.undoButton.enabled)

    def test_sorting_keeps_rows_and_selection_together(self):
        addPatients(2, 1, 1)
        self.ui.addFromSceneButton.click()
        self.selectCases("patient 3")
        self.ui.casesTable.sortItems(0, qt.Qt.DescendingOrder)
        self.assertEqual(self.column("Case"), ["patient 3", "patient 2", "patient 1", "patient 0"])
        self.assertEqual(self.column("Quality"), ["unlabelled", "LQA", "HQA", "HQA"])
        self.type(self.ui.domainEdit, "A")
        self.assertEqual(self.logic.table.rowNamed("patient 3").domain, "A")
        self.assertEqual(self.column("Case"), ["patient 3", "patient 2", "patient 1", "patient 0"])

    def test_volume_and_segmentation_of_a_row_are_chosen(self):
        addPatients(1, 0, 0)
        other = addVolume("other")
        self.ui.addFromSceneButton.click()
        self.selectCases("patient 0")
        self.assertEqual(self.ui.segmentationBox.currentText, "patient 0 segmentation")
        index = self.ui.segmentationBox.findText("(none)")
        self.ui.segmentationBox.setCurrentIndex(index)
        self.ui.segmentationBox.activated.emit(index)
        self.assertEqual(self.logic.table.rowNamed("patient 0").quality, LabelQuality.UNLABELLED)
        box = next(one for one in self.ui.selectedGroupBox.findChildren(qt.QComboBox) if one.currentText == "patient 0")
        index = box.findText("other")
        box.setCurrentIndex(index)
        box.activated.emit(index)
        self.assertEqual(self.logic.table.rowNamed("patient 0").images, (Source(nodeID=other.GetID()),))

    def test_channels_are_added_renamed_and_removed(self):
        addPatients(1, 0, 0)
        self.ui.addFromSceneButton.click()
        self.ui.channelsGroupBox.collapsed = False
        self.ui.addChannelButton.click()
        self.ui.channelsList.item(1).setText("T2")
        self.assertEqual(self.logic.table.channels, ["image", "T2"])
        self.assertEqual(self.column("Status"), ["No volume for channel T2"])
        self.assertIn("1 need attention", self.ui.summaryLabel.text)
        self.ui.channelsList.item(1).setText("IMAGE")
        self.assertEqual(self.errors, ["There is already a channel 'IMAGE'; give each channel a name of its own."])
        self.assertEqual(self.ui.channelsList.item(1).text(), "T2")
        self.ui.channelsList.setCurrentRow(1)
        self.ui.removeChannelButton.click()
        self.assertEqual((self.logic.table.channels, self.column("Status")), (["image"], ["Ready"]))

    def test_a_missing_channel_keeps_the_training_from_starting(self):
        addPatients(1, 0, 0)
        self.ui.addFromSceneButton.click()
        self.ui.channelsGroupBox.collapsed = False
        self.ui.addChannelButton.click()
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        self.training.startButton.click()
        waitFor(lambda: bool(self.errors), "the message", 20)
        self.assertIn("'patient 0' has no volume for channel 'channel'", self.errors[0])
        self.assertFalse((self.folder / "run").exists())
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), nodes)
        self.assertTrue(self.training.startButton.enabled)

    def test_structures_are_unticked(self):
        addSegmentation(addVolume("a"), ball(0), segment="liver")
        addSegmentation(addVolume("b"), ball(0), segment="spleen")
        self.ui.addFromSceneButton.click()
        self.ui.structuresTable.item(1, 0).setCheckState(qt.Qt.Unchecked)
        self.assertEqual([one.used for one in self.logic.table.structures], [True, False])

    def test_test_cases_are_suggested(self):
        addPatients(5, 0, 1)
        self.ui.addFromSceneButton.click()
        self.ui.suggestSplitButton.click()
        self.assertEqual(sorted(self.column("Used for")), ["test"] + ["training"] * 5)

    def test_a_folder_is_read_step_by_step_and_not_loaded(self):
        for index in range(3):
            writeImage(self.folder / "data" / "images" / f"p{index}.nii.gz", np.zeros(SHAPE, np.float32))
        writeImage(self.folder / "data" / "labels" / "p0.nii.gz", 7 * ball(0).astype(np.uint8))
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        self.module.panel.dataset.addPath(self.folder / "data")
        waitFor(lambda: not self.module.panel.dataset.busy, "the reading", 20)
        self.assertEqual(self.column("Quality"), ["HQA", "unlabelled", "unlabelled"])
        self.assertEqual([(one.name, one.values) for one in self.logic.table.structures], [("label 7", (7,))])
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), nodes)
        self.assertEqual(self.errors, [])

    def test_labels_of_a_folder_are_those_of_one_rater_and_of_the_quality_that_they_tell(self):
        data = self.folder / "data"
        for index in range(4):
            writeImage(data / "images" / f"p{index}.nii.gz", np.zeros(SHAPE, np.float32))
        label = sitk.GetImageFromArray(ball(0).astype(np.uint8))
        structures = [Structure("liver", (1,), (1, 2, 3), "")]
        for rater, name in (("A", "p0"), ("B", "p0"), ("B", "p1")):
            (data / f"labels_{rater}").mkdir(exist_ok=True)
            write_segmentation(label, structures, data / f"labels_{rater}" / f"{name}.seg.nrrd")
        write_labels(label, structures, data / "labels_A" / "p2.seg.nrrd")
        self.module.panel.dataset.addPath(data)
        waitFor(lambda: not self.module.panel.dataset.busy, "the reading", 20)
        self.assertEqual(self.errors, [])
        self.assertEqual(self.column("Quality"), ["HQA", "unlabelled", "LQA", "unlabelled"])
        self.assertEqual([len(row.raterLabels) for row in self.logic.table.rows], [2, 0, 0, 0])

    def test_a_dataset_file_is_read_with_all_it_says(self):
        image = writeImage(self.folder / "a.nii.gz", np.zeros(SHAPE, np.float32))
        label = writeImage(self.folder / "l.nii.gz", ball(0).astype(np.uint8))
        case = Case("a", (image,), label, LabelQuality.LQA, Split.VAL, "Smith", "3 T")
        structure = Structure("liver", (1,), (1, 2, 3), "one~two")
        save_dataset(Dataset(("T1",), (structure,), (case,)), self.folder / "dataset.json")
        self.module.panel.dataset.addPath(self.folder / "dataset.json")
        waitFor(lambda: not self.module.panel.dataset.busy, "the reading", 20)
        (row,) = self.logic.table.rows
        self.assertEqual((row.quality, row.split, row.patient, row.domain), (case.quality, case.split, "Smith", "3 T"))
        self.assertEqual(self.logic.table.structures[0].toStructure(), structure)
        self.assertEqual(self.logic.table.channels, ["T1"])

    def test_a_useless_folder_is_told_and_changes_nothing(self):
        self.module.panel.dataset.addPath(self.folder)
        waitFor(lambda: not self.module.panel.dataset.busy, "the reading", 20)
        self.assertEqual(len(self.errors), 1)
        self.assertIn("No case was found", self.errors[0])
        self.assertTrue(self.ui.addFolderButton.enabled)

    def test_500_cases_are_added_in_under_three_seconds(self):
        rows = [
            CaseRow(f"case {index}", (Source(path=__file__),), Source(path=__file__), LabelQuality.HQA)
            for index in range(500)
        ]
        started = time.process_time()
        self.logic.table.addRows(rows)
        slicer.app.processEvents()
        seconds = time.process_time() - started
        self.assertEqual(self.ui.casesTable.rowCount, 500)
        self.assertLess(seconds, 3)
        started = time.process_time()
        self.logic.table.updateRows([rows[7].key], domain="A")
        slicer.app.processEvents()
        self.assertLess(time.process_time() - started, 1)
        print(f"500 rows in {seconds:.2f} s, one edit in {time.process_time() - started:.2f} s")

    def test_500_volumes_of_the_scene_are_added_in_under_three_seconds(self):
        for index in range(500):
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"case {index}")
            slicer.util.updateVolumeFromArray(node, np.zeros((1, 2, 2), np.int16))
        started = time.process_time()
        self.ui.addFromSceneButton.click()
        slicer.app.processEvents()
        seconds = time.process_time() - started
        print(f"500 volumes of the scene in {seconds:.2f} s")
        self.assertEqual(self.ui.casesTable.rowCount, 500)
        self.assertLess(seconds, 3)

    def test_advanced_settings_follow_the_preset_and_keep_changes(self):
        self.choose(self.training.presetBox, "quick")
        epochs = self.module.panel.training.settings.widgetOf("epochs")
        self.assertEqual(epochs.value, QUICK.epochs)
        self.assertIn("epochs of the training proper", epochs.toolTip)
        epochs.setValue(QUICK.epochs + 2)
        parameters = self.logic.getParameterNode()
        self.assertEqual(
            (parameters.preset, json.loads(parameters.changedSettings)), ("quick", {"epochs": QUICK.epochs + 2})
        )
        self.training.resetSettingsButton.click()
        self.assertEqual((epochs.value, parameters.changedSettings), (QUICK.epochs, "{}"))

    def test_all_settings_pass_through_the_form_unchanged(self):
        form = self.module.panel.training.settings
        for settings in PRESETS.values():
            form.show(settings, {})
            self.assertEqual(form.changes(), {})
            form.show(settings, TINY)
            self.assertEqual(settings.replace(**form.changes()), settings.replace(**TINY))

    def test_devices_are_listed_with_their_free_memory(self):
        (arguments, onAnswer, onError), _ = self.askInBackground.call_args
        self.assertEqual(arguments, ["devices", "--json"])
        gpu = {"name": "cuda", "description": "GPU 1", "free_memory_gb": 7.25, "total_memory_gb": 8.0}
        cpu = {"name": "cpu", "description": "CPU", "free_memory_gb": None, "total_memory_gb": 16.0}
        onAnswer({"torch": "2", "devices": [gpu, cpu]})
        box = self.training.deviceBox
        texts = [box.itemText(index) for index in range(box.count)]
        self.assertEqual(texts, ["Automatic (the fastest)", "GPU 1, 7.2 GB free", "CPU"])
        self.choose(box, "cpu")
        self.assertEqual(self.logic.getParameterNode().device, "cpu")
        onError(AIDEError("no torch"))
        self.assertIn("after the first start", box.currentText)

    def test_devices_are_asked_for_again_once_the_packages_are_there(self):
        (_arguments, _onAnswer, onError), _ = self.askInBackground.call_args
        onError(AIDEError("no torch"))
        addPatients(1, 0, 0)
        self.ui.addFromSceneButton.click()
        asked = self.askInBackground.call_count
        with mock.patch.object(training_section, "ensureDependencies", side_effect=AIDEError("declined")):
            self.training.startButton.click()
        self.assertEqual((self.errors, self.askInBackground.call_count), (["declined"], asked))
        with mock.patch.object(self.logic, "prepareSteps", side_effect=AIDEError("stopped here")):
            self.training.startButton.click()
        self.assertEqual((self.errors[1:], self.askInBackground.call_count), (["stopped here"], asked + 1))

    def test_the_panel_shows_what_a_script_chose(self):
        parameters = self.logic.getParameterNode()
        parameters.preset = "quick"
        parameters.runFolder = str(self.folder / "by script")
        waitFor(lambda: self.training.presetBox.itemData(self.training.presetBox.currentIndex) == "quick", "quick", 10)
        self.assertEqual(self.training.runFolderEdit.currentPath, str(self.folder / "by script"))

    def test_what_edits_cases_is_folded_while_none_is_selected(self):
        addPatients(2, 0, 0)
        self.ui.addFromSceneButton.click()
        self.assertTrue(self.ui.selectedGroupBox.collapsed)
        self.selectCases("patient 0")
        self.assertFalse(self.ui.selectedGroupBox.collapsed)
        self.ui.selectedGroupBox.collapsed = True
        self.selectCases("patient 1")
        self.assertTrue(self.ui.selectedGroupBox.collapsed)
        self.selectCases()
        self.selectCases("patient 0")
        self.assertFalse(self.ui.selectedGroupBox.collapsed)

    def test_a_saved_scene_restores_the_choices(self):
        addPatients(2, 0, 0)
        self.ui.addFromSceneButton.click()
        self.choose(self.training.presetBox, "quick")
        self.training.baselineCheckBox.click()
        widgets(self.module, "ReviewSection").moreEpochsBox.setValue(25)
        scene = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        self.assertEqual((self.ui.casesTable.rowCount, self.training.baselineCheckBox.checked), (0, False))
        slicer.util.loadScene(scene)
        slicer.app.processEvents()
        self.assertEqual(self.column("Case"), ["patient 0", "patient 1"])
        self.assertEqual(self.column("Status"), ["Ready", "Ready"])
        self.assertTrue(self.training.baselineCheckBox.checked)
        self.assertEqual(self.training.presetBox.itemData(self.training.presetBox.currentIndex), "quick")
        self.assertEqual(widgets(self.module, "ReviewSection").moreEpochsBox.value, 25)
        self.assertEqual(self.training.runFolderEdit.currentPath, str(self.folder / "run"))

    def test_a_scene_that_is_added_adds_its_cases_and_replaces_nothing(self):
        addPatients(2, 0, 0)
        self.ui.addFromSceneButton.click()
        self.choose(self.training.presetBox, "quick")
        scene = str(self.folder / "other.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        own = addVolume("patient 1", 7)
        addSegmentation(own, ball(7), segment="spleen")
        self.ui.addFromSceneButton.click()
        self.logic.setQuality(["patient 1"], "LQA")
        self.choose(self.training.presetBox, "paper")
        self.training.runFolderEdit.setCurrentPath(str(self.folder / "my run"))
        before = self.logic.table.rows
        slicer.util.loadScene(scene)
        slicer.app.processEvents()
        rows = self.logic.table.rows
        self.assertEqual(rows[:1], before)
        self.assertEqual([row.name for row in rows], ["patient 1", "patient 0", "patient 1 2"])
        self.assertEqual([row.quality.value for row in rows], ["LQA", "HQA", "HQA"])
        self.assertEqual(sourceNode(rows[0].images[0]), own)
        self.assertEqual(self.column("Status"), ["Ready", "Ready", "Ready"])
        self.assertEqual([structure.name for structure in self.logic.table.structures], ["spleen", "liver"])
        self.assertEqual(self.logic.getParameterNode().preset, "paper")
        self.assertEqual(self.training.runFolderEdit.currentPath, str(self.folder / "my run"))
        slicer.util.loadScene(scene)
        slicer.app.processEvents()
        rows = self.logic.table.rows
        self.assertEqual((len(rows), len({row.key for row in rows})), (5, 5))
        # What was added is kept with the scene, too.
        self.assertEqual(AIDETrainingLogic().table.rows, rows)

    def test_a_scene_whose_cases_do_not_fit_leaves_the_table_as_it_is(self):
        addPatients(1, 0, 0)
        self.ui.addFromSceneButton.click()
        scene = str(self.folder / "other.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        self.logic.table.setChannels(["T1", "T2"])
        addVolume("a_T1")
        self.ui.addFromSceneButton.click()
        before = self.logic.table.rows
        with mock.patch.object(slicer.util, "errorDisplay") as display:
            slicer.util.loadScene(scene)
        self.assertIn("These cases have 1 channel(s)", display.call_args.args[0])
        slicer.app.processEvents()
        self.assertEqual(self.logic.table.rows, before)
        self.assertEqual(self.logic.table.channels, ["T1", "T2"])

    def test_every_control_has_a_tooltip(self):
        kinds = (qt.QAbstractButton, qt.QComboBox, qt.QLineEdit, qt.QSpinBox, qt.QTableWidget, qt.QListWidget)
        missing = []
        for section in ("DatasetSection", "TrainingSection", "ReviewSection", "ResultsSection"):
            for name, widget in vars(widgets(self.module, section)).items():
                known = isinstance(widget, kinds) and not name.endswith("CollapsibleButton")
                if known and not name.startswith("qt_") and not widget.toolTip:
                    missing.append(name)
        self.assertEqual(missing, [])

    def test_opening_the_module_takes_less_than_a_second(self):
        slicer.util.selectModule("Data")
        started = time.process_time()
        slicer.util.reloadScriptedModule("AIDETraining")
        slicer.util.selectModule("AIDETraining")
        slicer.app.processEvents()
        seconds = time.process_time() - started
        print(f"opened in {seconds:.2f} s")
        self.assertLess(seconds, 1)


if __name__ == "__main__":
    unittest.main()
