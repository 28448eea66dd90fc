"""A module loaded from its file, its .ui, its parameter node, and its self-test."""

from pathlib import Path

import pytest
import slicer

PATH = Path(__file__).parent / "SampleModule" / "SampleModule.py"


@pytest.fixture
def widget(scripted_module):
    scripted_module(PATH)
    slicer.util.selectModule("SampleModule")
    return slicer.modules.SampleModuleWidget


def test_panel_shows_the_defaults(widget):
    ui = widget.ui
    assert widget.entered == 1
    assert (ui.epochsBox.value, ui.epochsBox.minimum, ui.epochsBox.maximum) == (10, 1, 100)
    assert ui.thresholdBox.value == 0.5
    assert not ui.invertBox.checked
    assert ui.nameEdit.text == "unnamed"
    assert [ui.presetBox.itemText(index) for index in range(ui.presetBox.count)] == ["Quick", "Careful"]
    assert ui.deviceBox.currentText == "cpu"
    assert ui.inputSelector.currentNode() is None
    assert ui.folderEdit.filters == ui.folderEdit.Dirs | ui.folderEdit.Readable


def test_button_calls_what_is_connected_by_signature(widget):
    widget.ui.epochsBox.value = 7
    widget.ui.applyButton.click()
    assert widget.parameters.epochs == 7
    assert widget.ui.statusLabel.text == "7 epochs"


def test_widgets_write_parameters_and_parameters_show_in_widgets(widget):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Liver MR")
    ui, parameters = widget.ui, widget.parameters
    ui.inputSelector.setCurrentNode(volume)
    ui.nameEdit.text = "case 3"
    ui.presetBox.currentText = "Careful"
    ui.folderEdit.currentPath = "/data/run 1"
    assert parameters.inputVolume is volume
    assert parameters.caseName == "case 3"
    assert parameters.preset.name == "CAREFUL"
    assert parameters.folder == Path("/data/run 1")
    parameters.invert = True
    parameters.device = "cuda"
    assert ui.invertBox.checked
    assert ui.deviceBox.currentText == "cuda"


def test_saved_and_reloaded_scene_restores_the_choices(widget, tmp_path):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Liver MR")
    parameters = widget.parameters
    parameters.inputVolume = volume
    parameters.epochs = 42
    parameters.channels = ["T1", "T2"]
    parameters.channels.append("DWI")
    parameters.preset = type(parameters.preset).CAREFUL
    assert slicer.util.saveScene(str(tmp_path / "scene.mrml"))
    slicer.mrmlScene.Clear(False)
    assert widget.parameters.epochs == 10
    assert widget.ui.epochsBox.value == 10
    slicer.util.loadScene(str(tmp_path / "scene.mrml"))
    parameters = widget.logic.getParameterNode()
    assert parameters.epochs == 42
    assert parameters.channels == ["T1", "T2", "DWI"]
    assert parameters.preset.name == "CAREFUL"
    assert parameters.inputVolume.GetName() == "Liver MR"
    assert widget.ui.epochsBox.value == 42
    assert widget.ui.inputSelector.currentNode().GetName() == "Liver MR"


def test_value_out_of_range_is_refused(widget):
    with pytest.raises(ValueError, match="101"):
        widget.parameters.epochs = 101
    assert widget.parameters.epochs == 10


def test_reload_makes_a_new_widget(widget):
    slicer.util.reloadScriptedModule("SampleModule")
    assert slicer.modules.SampleModuleWidget is not widget
    slicer.modules.SampleModuleWidget.ui.applyButton.click()
    assert slicer.modules.SampleModuleWidget.ui.statusLabel.text == "10 epochs"


def test_self_test_runs(widget):
    slicer.selfTests["SampleModule"](msec=1)
