"""Nodes and scenes written and read by `slicer.util`."""

import numpy as np
import pytest
import slicer


def volume_node(name="Liver MR"):
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    node = slicer.util.addVolumeFromArray(array, name=name)
    node.SetSpacing(1.5, 2, 4)
    node.SetOrigin(10, -20, 30)
    return node


def segmentation_node(volume):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Labels")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment_id = node.GetSegmentation().AddEmptySegment("liver", "liver", (0.5, 0.25, 0.75))
    mask = np.zeros((4, 5, 6), np.uint8)
    mask[1:3, 2:4, 3:5] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    return node


def test_volume_is_read_as_it_was_written(slicer_app, tmp_path):
    volume = volume_node()
    assert slicer.util.saveNode(volume, str(tmp_path / "image.nii.gz"))
    read = slicer.util.loadVolume(str(tmp_path / "image.nii.gz"), {"show": False})
    assert read.GetName() == "image"
    assert (slicer.util.arrayFromVolume(read) == slicer.util.arrayFromVolume(volume)).all()
    np.testing.assert_allclose(read.GetSpacing(), (1.5, 2, 4))
    np.testing.assert_allclose(read.GetOrigin(), (10, -20, 30), atol=1e-5)


def test_shown_volume_is_in_the_slice_views(slicer_app, tmp_path):
    slicer.util.saveNode(volume_node(), str(tmp_path / "image.nrrd"))
    read = slicer.util.loadVolume(str(tmp_path / "image.nrrd"), {"name": "Given name"})
    assert read.GetName() == "Given name"
    composite = slicer_app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == read.GetID()


def test_segmentation_is_read_as_it_was_written(slicer_app, tmp_path):
    volume = volume_node()
    segmentation = segmentation_node(volume)
    path = str(tmp_path / "labels.seg.nrrd")
    assert slicer.util.saveNode(segmentation, path)
    read = slicer.util.loadSegmentation(path)
    segment = read.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "liver"
    np.testing.assert_allclose(segment.GetColor(), (0.5, 0.25, 0.75), atol=1 / 255)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(read, read.GetSegmentation().GetNthSegmentID(0), volume)
    assert mask.sum() == 2 * 2 * 2
    assert mask[1:3, 2:4, 3:5].all()


def test_missing_file_is_an_error(slicer_app, tmp_path):
    with pytest.raises(RuntimeError, match="Failed to load node from file"):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"))


def test_export_leaves_the_node_and_its_storage_as_they_are(slicer_app, tmp_path):
    volume = volume_node()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 5
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    assert slicer.util.exportNode(volume, str(tmp_path / "world.nrrd"), world=True)
    assert volume.GetTransformNodeID() == transform.GetID()
    assert volume.GetOrigin() == (10, -20, 30)
    read = slicer.util.loadVolume(str(tmp_path / "world.nrrd"), {"show": False})
    np.testing.assert_allclose(read.GetOrigin(), (15, -20, 30))


@pytest.mark.parametrize("name", ["scene.mrb", "scene.mrml", "folder"])
def test_scene_is_read_as_it_was_written(slicer_app, tmp_path, name):
    volume = volume_node()
    segmentation_node(volume)
    if name == "scene.mrml":
        slicer.util.saveNode(volume, str(tmp_path / "image.nrrd"))
        slicer.util.saveNode(slicer.util.getNode("Labels"), str(tmp_path / "labels.seg.nrrd"))
    assert slicer.util.saveScene(str(tmp_path / name))
    slicer.mrmlScene.Clear()
    path = next((tmp_path / name).glob("*.mrml")) if name == "folder" else tmp_path / name
    slicer.util.loadScene(str(path))
    assert slicer.util.arrayFromVolume(slicer.util.getNode("Liver MR")).sum() == sum(range(120))
    segmentation = slicer.util.getNode("Labels")
    assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "liver"
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    assert hierarchy.GetItemByDataNode(segmentation) != 0
