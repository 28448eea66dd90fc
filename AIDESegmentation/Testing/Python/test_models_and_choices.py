"""The model library, what is proposed, and choices that come back with a saved scene."""

from __future__ import annotations

import module_fixture
import pytest
import qt
import slicer
from AIDESegmentationLib.ChannelMatching import matchVolumes, nameSimilarity
from AIDESegmentationLib.ModelCard import modelCard
from AIDESegmentationLib.ModelLibrary import LibraryModel, ModelLibrary, describedModel
from AIDESegmentationLib.SampleImages import SAMPLES
from tiny_model import TERMINOLOGY, tinyModel

from AIDELib.errors import ModelError
from AIDELib.model_description import read_model_description


@pytest.mark.parametrize(
    ("channels", "volumes", "expected"),
    [
        (("T1",), ["whatever"], [0]),
        (("T1",), ["chest CT", "head T1 axial"], [1]),
        (("in-phase", "out-of-phase"), ["37 out of phase", "37 in phase"], [1, 0]),
        (("T2", "ADC"), ["t2_tse", "ADC map", "DWI"], [0, 1]),
        (("FLAIR", "T1"), ["sub-01_T1w", "sub-01_flair"], [1, 0]),
        (("T1", "T2"), ["CT"], [None, None]),
        (("T1w", "T1wCE"), ["T1wCE", "T1w"], [1, 0]),
    ],
)
def test_volumes_are_matched_by_name(channels, volumes, expected):
    assert matchVolumes(channels, volumes) == expected


def test_similarity_orders_names():
    likenesses = [
        nameSimilarity("T2 axial", name) for name in ("T2 axial", "axial T2 of Monday", "T2axial", "T1 axial", "CT")
    ]
    assert likenesses == sorted(likenesses, reverse=True)
    assert likenesses[0] == 1.0


def test_library_adds_lists_and_removes(tmp_path):
    library = ModelLibrary(tmp_path / "models")
    assert library.models() == []
    first = library.add(tinyModel())
    second = library.add(tinyModel())
    assert [model.name for model in library.models()] == ["liver and spleen", "liver and spleen 2"]
    assert first.description.channels == ("T1",)
    assert first.description.structures[0].terminology == TERMINOLOGY
    (tmp_path / "foreign.aide").write_text("no model")
    with pytest.raises(ModelError, match=r"foreign\.aide"):
        library.add(tmp_path / "foreign.aide")
    library.remove(second)
    assert [model.name for model in library.models()] == ["liver and spleen"]


def test_card_says_what_the_model_is(tmp_path):
    card = modelCard(describedModel(tinyModel()))
    for part in ("#dd8265", "liver", "#9d6ca2", "spleen", "T1", "4 cases with good labels", "Dice 0."):
        assert part in card
    (tmp_path / "broken <1>.aide").write_bytes(b"PK")
    assert "broken &lt;1&gt;.aide" in modelCard(describedModel(tmp_path / "broken <1>.aide"))


def test_card_of_a_model_that_says_nothing_about_its_training(tmp_path):
    description = read_model_description(tinyModel())
    description.training.clear()
    card = modelCard(LibraryModel(tmp_path / "a.aide", description))
    assert "liver" in card
    assert "Method" not in card


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
        scene = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene))
        slicer.mrmlScene.Clear()
        self.assertEqual(self.ui.modelSelector.currentText, "liver and spleen")
        slicer.util.loadScene(scene)
        self.assertEqual(self.ui.modelSelector.currentText, "two channels")
        self.assertEqual([volume.GetName() for volume in panel.channels.volumes], ["b", "a"])
        self.assertEqual(self.ui.outputSelector.currentNode().GetName(), "mine")
        self.assertFalse(self.ui.largestComponentCheckBox.checked)
        self.assertTrue(self.ui.probabilitiesCheckBox.checked)
        self.assertTrue(self.ui.batchToFolderCheckBox.checked)

    def test_another_module_hands_over_a_model_of_a_run_folder(self):
        run = self.folder / "run"
        run.mkdir()
        (run / "model.aide").write_bytes(tinyModel(2).read_bytes())
        self.widget.setModel(run / "model.aide")
        self.assertEqual(self.ui.modelSelector.currentText, "model")
        self.assertEqual(len(self.widget.panel.channels.widgets), 2)
        self.assertFalse(self.ui.removeModelButton.enabled)

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


def test_sample_images_name_the_checksum_of_their_address():
    for name, file, digest in SAMPLES:
        assert file.endswith(".nrrd")
        assert len(digest) == 64
        assert name.startswith("AIDE")
