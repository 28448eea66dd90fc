"""What the user chooses in the panel: models, volumes, devices; and how it comes back with a saved scene."""

from __future__ import annotations

import hashlib
import json
import zipfile

import module_fixture
import qt
import slicer
from tiny_model import tinyModel


class ChoicesTest(module_fixture.ModuleTestCase):
    """What the user chose, in the panel and in the scene."""

    def test_adding_and_removing_models_by_clicks(self):
        answers = [str(tinyModel(2)), ""]
        asked = qt.QFileDialog.getOpenFileName
        qt.QFileDialog.getOpenFileName = staticmethod(lambda *arguments: answers.pop(0))
        self.addCleanup(setattr, qt.QFileDialog, "getOpenFileName", asked)
        self.ui.addModelButton.click()
        self.assertEqual(self.errors, [])
        self.assertEqual(self.ui.modelSelector.currentText, "two channels")
        self.assertEqual(len(self.widget.panel.channels.widgets), 2)
        self.assertTrue((self.library / "two channels.aide").exists())
        self.ui.addModelButton.click()
        self.assertEqual(self.ui.modelSelector.count, 2)
        questions = []
        confirm = slicer.util.confirmOkCancelDisplay
        slicer.util.confirmOkCancelDisplay = lambda text, title: questions.append(text) or len(questions) > 1
        self.addCleanup(setattr, slicer.util, "confirmOkCancelDisplay", confirm)
        self.ui.removeModelButton.click()
        self.assertIn("two channels.aide is deleted", questions[0])
        self.assertTrue((self.library / "two channels.aide").exists())
        self.ui.removeModelButton.click()
        self.assertFalse((self.library / "two channels.aide").exists())
        self.assertEqual(self.ui.modelSelector.currentText, "liver and spleen")
        self.assertEqual(len(self.widget.panel.channels.widgets), 1)

    def test_empty_library_tells_where_models_come_from(self):
        self.model.unlink()
        self.widget.panel.models.show(None)
        self.assertIn("is empty", self.ui.modelCardLabel.text)
        self.assertIn("AIDE Training", self.ui.modelCardLabel.text)

    def test_saved_and_reloaded_scene_restores_all_choices(self):
        (self.library / "two channels.aide").write_bytes(tinyModel(2).read_bytes())
        first, second = self.addVolume("a", size=(8, 8, 4)), self.addVolume("b", size=(8, 8, 4))
        output = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
        panel = self.widget.panel
        panel.models.show(None)
        self.ui.modelSelector.setCurrentIndex(1)
        panel.channels.widgets[0].setCurrentNode(second)
        panel.channels.widgets[1].setCurrentNode(first)
        self.ui.outputSelector.setCurrentNode(output)
        self.ui.largestComponentCheckBox.checked = False
        self.ui.probabilitiesCheckBox.checked = True
        self.ui.batchToFolderCheckBox.checked = True
        self.ui.batchInputFolderEdit.currentPath = str(self.folder / "images")
        self.ui.batchOutputFolderEdit.currentPath = str(self.folder / "results")
        scene = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        self.assertEqual(self.ui.modelSelector.currentText, "liver and spleen")
        for edit in (self.ui.batchInputFolderEdit, self.ui.batchOutputFolderEdit):
            edit.currentPath = "/elsewhere"
        slicer.util.loadScene(scene)
        self.assertEqual(self.ui.modelSelector.currentText, "two channels")
        self.assertEqual([volume.GetName() for volume in panel.channels.volumes], ["b", "a"])
        self.assertEqual(self.ui.outputSelector.currentNode().GetName(), "mine")
        self.assertFalse(self.ui.largestComponentCheckBox.checked)
        self.assertTrue(self.ui.probabilitiesCheckBox.checked)
        self.assertTrue(self.ui.batchToFolderCheckBox.checked)
        self.assertEqual(self.ui.batchInputFolderEdit.currentPath, str(self.folder / "images"))
        self.assertEqual(self.ui.batchOutputFolderEdit.currentPath, str(self.folder / "results"))

    def test_another_module_hands_over_a_model_of_a_run_folder(self):
        run = self.folder / "run"
        run.mkdir()
        (run / "model.aide").write_bytes(tinyModel(2).read_bytes())
        self.widget.setModel(run / "model.aide")
        self.assertEqual(self.ui.modelSelector.currentText, "model")
        self.assertEqual(len(self.widget.panel.channels.widgets), 2)
        self.assertFalse(self.ui.removeModelButton.enabled)

    def test_a_script_chooses_the_folders_of_a_batch(self):
        parameters = self.logic.getParameterNode()
        parameters.batchInputFolder, parameters.batchOutputFolder = "/images", "/results"
        self.assertEqual(self.ui.batchInputFolderEdit.currentPath, "/images")
        self.assertEqual(self.ui.batchOutputFolderEdit.currentPath, "/results")
        self.ui.batchInputFolderEdit.currentPath = "/others"
        self.assertEqual(self.logic.getParameterNode().batchInputFolder, "/others")

    def test_an_emptied_folder_line_stays_empty(self):
        parameters = self.logic.getParameterNode()
        parameters.batchInputFolder, parameters.batchOutputFolder = "/images", "/results"
        self.ui.batchInputFolderEdit.currentPath = ""
        self.assertEqual((parameters.batchInputFolder, parameters.batchOutputFolder), ("", "/results"))
        self.ui.probabilitiesCheckBox.checked = not self.ui.probabilitiesCheckBox.checked
        self.assertEqual(self.ui.batchInputFolderEdit.currentPath, "")
        self.assertEqual(self.ui.batchOutputFolderEdit.currentPath, "/results")

    def test_largest_part_follows_the_model_whoever_chose_it_and_then_the_user(self):
        lesions = self.folder / "lesions.aide"
        _copyWithSetting(self.model, lesions, largest_component=False)
        box = self.ui.largestComponentCheckBox
        self.assertTrue(box.checked)
        self.widget.setModel(lesions)
        self.assertFalse(box.checked)
        box.click()
        self.widget.setModel(lesions)
        slicer.util.selectModule("Data")
        slicer.util.selectModule("AIDESegmentation")
        self.assertTrue(box.checked)
        self.ui.modelSelector.setCurrentIndex(0)
        self.assertTrue(box.checked)
        slicer.util.selectModule("Data")
        # As AIDE Training hands over the model of a run.
        self.logic.getParameterNode().modelFile = str(lesions)
        slicer.util.selectModule("AIDESegmentation")
        self.assertFalse(box.checked)

    def test_devices_of_this_computer_are_offered(self):
        self.widget.panel.devices.ask()
        self.waitFor(lambda: self.ui.deviceSelector.count > 1)
        self.assertEqual(self.ui.deviceSelector.itemData(1), "cpu")
        self.assertIn("CPU", self.ui.deviceSelector.itemText(1))
        self.ui.deviceSelector.setCurrentIndex(1)
        self.assertEqual(self.logic.getParameterNode().device, "cpu")

    def test_every_control_explains_itself(self):
        silent = [
            name
            for name, widget in vars(self.ui).items()
            if isinstance(
                widget, qt.QAbstractButton | qt.QComboBox | qt.QTableWidget | qt.QProgressBar | slicer.qMRMLNodeComboBox
            )
            and not name.startswith("qt_")
            and not name.endswith("CollapsibleButton")
            and not widget.toolTip
        ]
        self.assertEqual(silent, [])
        self.assertTrue(all(selector.toolTip for selector in self.widget.panel.channels.widgets))

    def test_panel_fits_into_400_pixels(self):
        for name, widget in vars(self.ui).items():
            if name.endswith("CollapsibleButton"):
                widget.collapsed = False
        slicer.app.processEvents()
        self.assertLessEqual(self.widget.parent.minimumSizeHint.width(), 400)


def _copyWithSetting(model, copy, **changes) -> None:
    """Copy a model file with other values in its description."""
    with zipfile.ZipFile(model) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["model.json"] = json.dumps(json.loads(files["model.json"]) | changes).encode()
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items() if name != "SHA256SUMS"]
    files["SHA256SUMS"] = "".join(sums).encode()
    with zipfile.ZipFile(copy, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
