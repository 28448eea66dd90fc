"""The application: modules, subject hierarchy, views, settings, packages, translation."""

import time

import numpy as np
import pytest
import qt
import slicer
import vtk
from slicer.i18n import tr as _

SHAPE = (8, 20, 30)


@pytest.fixture
def shown_volume(slicer_app):
    """Return a volume, 100 in its middle and 0 around it, shown in the slice views."""
    array = np.zeros(SHAPE, np.int16)
    array[:, 5:15, 8:22] = 100
    volume = slicer.util.addVolumeFromArray(array, name="Phantom")
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(100, 50)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return volume


def picture_of(widget):
    """Return the widget's picture as an array (rows, columns, RGB), the slices fitted to its size."""
    widget.grab()
    slicer.util.resetSliceViews()
    image = widget.grab().toImage().convertToFormat(qt.QImage.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_slicer_has_its_modules(slicer_app):
    assert slicer.modules.segmentations.logic().IsA("vtkSlicerSegmentationsModuleLogic")
    assert slicer.util.getModuleLogic("Volumes") is slicer.modules.volumes.logic()
    assert {"Volumes", "Segmentations", "SegmentEditor"} <= set(slicer.util.moduleNames())
    with pytest.raises(RuntimeError, match="NoSuchModule"):
        slicer.util.getModule("NoSuchModule")


def test_nodes_have_subject_hierarchy_items(slicer_app):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1")
    item = hierarchy.GetItemByDataNode(volume)
    assert hierarchy.GetItemName(item) == "T1"
    assert hierarchy.GetItemParent(item) == hierarchy.GetSceneItemID()
    parameter_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    assert hierarchy.GetItemByDataNode(parameter_node) == 0
    slicer.mrmlScene.RemoveNode(volume)
    assert hierarchy.GetItemDataNode(item) is None


def test_slice_view_shows_the_volume_and_its_segment(slicer_app, shown_volume):
    view = slicer_app.layoutManager().sliceWidget("Red").sliceView()
    pixels = picture_of(view)
    middle, column = pixels.shape[0] // 2, pixels.shape[1] // 2
    assert pixels[middle, column].tolist() == [255, 255, 255]
    assert pixels[middle, 20].tolist() == [0, 0, 0]
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(shown_volume)
    segment_id = segmentation.GetSegmentation().AddEmptySegment("organ", "organ", (0, 1, 0))
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 7:13, 12:18] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment_id, shown_volume)
    red, green, blue = picture_of(view)[middle, column].astype(int)
    assert green == 255
    assert red == blue < 200


def test_views_are_made_anew_after_the_scene_was_closed(slicer_app, shown_volume):
    slicer.mrmlScene.Clear()
    manager = slicer_app.layoutManager()
    assert set(manager.sliceViewNames()) == {"Red", "Yellow", "Green"}
    assert picture_of(manager.sliceWidget("Red").sliceView()).max() == 0
    assert slicer_app.applicationLogic().GetSliceLogics().GetNumberOfItems() == 3


def test_plot_shows_the_table(slicer_app):
    layout = slicer_app.layoutManager().layout
    values = np.column_stack([np.arange(5), [1.0, 0.6, 0.4, 0.3, 0.25]])
    chart = slicer.util.plot(values, xColumnIndex=0, columnNames=["epoch", "loss"], title="Loss")
    plot_view = slicer_app.layoutManager().plotWidget(0).plotView()
    assert plot_view.mrmlPlotViewNode().GetPlotChartNode() is chart
    pixels = picture_of(plot_view)
    assert pixels.max() == 255
    assert (pixels.min(axis=2) < 100).sum() > 200
    slicer_app.layoutManager().setLayout(layout)


def test_plot_keeps_to_the_ranges_of_the_chart(slicer_app):
    layout = slicer_app.layoutManager().layout
    chart = slicer.util.plot(np.column_stack([np.arange(5), np.arange(5.0)]), xColumnIndex=0, columnNames=["x", "y"])
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0, 20)
    plot_view = slicer_app.layoutManager().plotWidget(0).plotView()
    picture_of(plot_view)
    axes = [plot_view.chart().GetAxis(position) for position in (vtk.vtkAxis.BOTTOM, vtk.vtkAxis.LEFT)]
    assert [(axis.GetMinimum(), axis.GetMaximum()) for axis in axes] == [(0, 20), (0, 4)]
    slicer_app.layoutManager().setLayout(layout)


def test_segment_editor_takes_a_segmentation(slicer_app, shown_volume):
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Labels")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(shown_volume)
    segmentation.GetSegmentation().AddEmptySegment("liver")
    spleen = segmentation.GetSegmentation().AddEmptySegment("spleen")
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.util.getModuleWidget("SegmentEditor").editor
    editor.setSegmentationNode(segmentation)
    editor.setCurrentSegmentID(spleen)
    node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    assert node.GetSegmentationNode() is segmentation
    assert node.GetSourceVolumeNode() is shown_volume
    assert node.GetSelectedSegmentID() == spleen
    slicer.util.selectModule("")


def test_settings_are_kept_apart_from_those_of_the_person(slicer_app, tmp_path):
    settings = slicer_app.userSettings()
    assert str(settings.fileName()).startswith(slicer_app.slicerHome)
    settings.setValue("AIDE/Test", 5)
    assert slicer.util.settingsValue("AIDE/Test", 0, converter=int) == 5


def test_messages_are_logged_and_not_shown(slicer_app, caplog):
    slicer.util.errorDisplay("The model file is damaged.")
    assert "The model file is damaged." in caplog.text


def test_packages_are_checked_and_not_installed(slicer_app, tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "# comment\n--index-url x\nnumpy>=1.20\nno-such-package-anywhere>=2; sys_platform == 'none'\n"
    )
    loaded = slicer.packaging.load_requirements(requirements)
    assert [requirement.name for requirement in loaded] == ["numpy", "no-such-package-anywhere"]
    assert slicer.packaging.pip_check(loaded)
    assert not slicer.packaging.pip_check("no-such-package-anywhere")
    assert slicer.packaging.pip_ensure("no-such-package-anywhere") is None
    with pytest.raises(OSError, match="no-such-package-anywhere"):
        slicer.packaging.pip_ensure("no-such-package-anywhere", skip_in_testing=False, prompt_install=False)


def test_messages_are_translated_in_the_context_of_their_file(slicer_app, monkeypatch):
    monkeypatch.setattr(slicer_app, "translate", lambda context, text: f"{context}: {text}", raising=False)
    assert _("Apply") == "Tests.test_application: Apply"


def test_node_combo_box_follows_the_scene(slicer_app):
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.addEnabled = box.removeEnabled = False
    box.noneEnabled = True
    box.setMRMLScene(slicer.mrmlScene)
    heard = []
    box.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    first = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "first")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "no volume")
    second = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "second")
    assert box.nodeCount() == 2
    assert box.currentNode() is None
    box.setCurrentNode(second)
    first.SetName("renamed")
    box.setCurrentNodeID(first.GetID())
    assert box.findChild(qt.QComboBox).currentText == "renamed"
    slicer.mrmlScene.RemoveNode(first)
    assert heard == [second, first, second]
    slicer.mrmlScene.RemoveNode(second)
    assert heard[3:] == [None]
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    assert box.nodeCount() == 1
    box.showChildNodeTypes = False
    assert box.nodeCount() == 0


def test_node_combo_box_takes_hundreds_of_nodes_in_a_moment(slicer_app):
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLTableNode"]
    box.setMRMLScene(slicer.mrmlScene)
    start = time.process_time()
    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", f"table {index}") for index in range(300)]
    assert time.process_time() - start < 3
    assert box.nodeCount() == 300
    assert box.currentNode() is None
    box.setCurrentNode(nodes[0])
    slicer.mrmlScene.RemoveNode(nodes[0])
    assert box.currentNode() is nodes[1]
    inner = box.findChild(qt.QComboBox)
    assert [inner.itemText(index) for index in (0, 298)] == ["table 1", "table 299"]
    assert inner.itemText(300).startswith("Create new")


@pytest.mark.parametrize("add_enabled", [True, False])
def test_empty_node_combo_box_takes_the_first_node(slicer_app, add_enabled):
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLSegmentationNode"]
    box.addEnabled = add_enabled
    box.removeEnabled = False
    box.setMRMLScene(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert box.currentNode() is (None if add_enabled else node)
    added = box.addNode()
    assert added.IsA("vtkMRMLSegmentationNode")
    assert box.currentNode() is added
    assert box.nodeCount() == 2


def test_table_view_shows_and_writes_the_table(slicer_app):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode")
    slicer.util.updateTableFromArray(node, np.array([[1.5, 2.5]]), ["DSC", "ASSD"])
    view = slicer.qMRMLTableView()
    view.setMRMLTableNode(node)
    model = view.model()
    assert [model.headerData(index, qt.Qt.Horizontal) for index in range(2)] == ["DSC", "ASSD"]
    assert model.item(0, 1).text() == "2.5"
    model.item(0, 0).setText("7")
    assert node.GetTable().GetValue(0, 0).ToDouble() == 7
