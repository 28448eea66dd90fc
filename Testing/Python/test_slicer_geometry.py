"""Volumes and segments of real MRML nodes: exported, read back, and brought into the scene again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

slicer = pytest.importorskip("slicer")
vtk = pytest.importorskip("vtk")

from AIDELib.errors import VolumeError  # noqa: E402
from AIDELib.segmentation_file import read_segmentation  # noqa: E402
from AIDELib.structure import Structure  # noqa: E402
from AIDESlicer.node_export import exportSegments, exportVolume  # noqa: E402
from AIDESlicer.placement import arrayFromMatrix, matrixFromArray  # noqa: E402
from AIDESlicer.segment_import import addSegments, importSegments, readLabelsOnVolume  # noqa: E402
from AIDESlicer.segment_structure import structuresOfSegmentation  # noqa: E402
from AIDESlicer.segmentation_snapshot import snapshotOfSegments  # noqa: E402
from AIDESlicer.volume_snapshot import snapshotOfVolume  # noqa: E402

Logic = slicer.vtkSlicerSegmentationsModuleLogic
TUMOUR = Structure("tumour", (1,), (255, 0, 0), "")
LIVER = Structure("liver", (2,), (0, 128, 255), "")


def rotation(degrees: float, axis: int) -> np.ndarray:
    angle = np.deg2rad(degrees)
    first, second = [other for other in range(3) if other != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def grid(axes: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array(spacing)
    matrix[:3, 3] = -31.5, 12.25, 7.75
    return matrix


# (size I, J, K; indices to RAS)
GRIDS = {
    "plain": ((24, 20, 16), grid(np.diag([-1.0, -1.0, 1.0]), (1, 1, 1))),
    "anisotropic": ((24, 20, 8), grid(np.diag([-1.0, -1.0, 1.0]), (0.7, 0.9, 5))),
    "flipped": ((24, 20, 16), grid(np.diag([1.0, -1.0, 1.0]), (1, 1.5, 2))),
    "oblique": ((24, 20, 16), grid(rotation(25, 0) @ rotation(-35, 2), (0.8, 0.8, 2.5))),
    "one slice": ((32, 24, 1), grid(rotation(10, 2), (0.5, 0.5, 3))),
}
TRANSFORMS = ("none", "rigid", "scaling", "shear", "warp")


@pytest.fixture
def scene():
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return scene


def addVolume(scene, size, matrix, name="image", kind="vtkMRMLScalarVolumeNode", dtype=np.int16):
    node = scene.AddNewNodeByClass(kind, name)
    z, y, x = np.indices(size[::-1])
    array = (3 * x + 5 * y + 7 * z).astype(dtype)
    image = vtk.vtkImageData()
    image.SetDimensions(size)
    image.AllocateScalars(vtk.util.numpy_support.get_vtk_array_type(dtype), 1)
    vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())[:] = array.ravel()
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(matrixFromArray(matrix))
    return node


def voxels(node) -> np.ndarray:
    image = node.GetImageData()
    return vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def addTransform(scene, kind):
    if kind == "none":
        return None
    if kind == "warp":
        node = scene.AddNewNodeByClass("vtkMRMLTransformNode")
        spline = vtk.vtkThinPlateSplineTransform()
        spline.SetBasisToR()
        source, target = vtk.vtkPoints(), vtk.vtkPoints()
        moves = np.random.default_rng(3).uniform(-3, 3, (27, 3))
        for place, move in zip(itertools.product((-60, -20, 20), (-40, 0, 40), (-10, 20, 50)), moves, strict=True):
            source.InsertNextPoint(place)
            target.InsertNextPoint(np.add(place, move))
        spline.SetSourceLandmarks(source)
        spline.SetTargetLandmarks(target)
        node.SetAndObserveTransformToParent(spline)
        return node
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = 11, -7, 3.3
    if kind == "rigid":
        matrix[:3, :3] = rotation(40, 1) @ rotation(15, 0)
    elif kind == "scaling":
        matrix[:3, :3] *= 1.25
    else:
        matrix[0, 1], matrix[2, 0] = 0.3, 0.1
    node.SetMatrixTransformToParent(matrixFromArray(matrix))
    return node


def ball(size) -> np.ndarray:
    """A (Z, Y, X) ellipsoid within a volume, off its centre."""
    z, y, x = np.indices(size[::-1])
    radius = [max(count / 3, 0.6) for count in size[::-1]]
    centre = [count * 0.45 for count in size[::-1]]
    if size[2] == 1:
        centre[0] = 0
    return sum(((part - middle) / half) ** 2 for part, middle, half in zip((z, y, x), centre, radius, strict=True)) < 1


def dice(first, second) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def segmentVoxels(segmentationNode, name, volumeNode) -> np.ndarray:
    """The segment as Slicer itself exports it onto a volume's grid."""
    identifier = segmentationNode.GetSegmentation().GetSegmentIdBySegmentName(name)
    labelmap = volumeNode.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    labelmap.CreateDefaultDisplayNodes()
    ids = vtk.vtkStringArray()
    ids.InsertNextValue(identifier)
    assert Logic.ExportSegmentsToLabelmapNode(segmentationNode, ids, labelmap, volumeNode)
    array = voxels(labelmap) > 0
    volumeNode.GetScene().RemoveNode(labelmap)
    return array.copy()


def centreRas(node, mask) -> np.ndarray:
    """Centre of mass of voxels (Z, Y, X) of a volume in the world."""
    middle = np.argwhere(mask).mean(axis=0)[::-1]
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    local = (arrayFromMatrix(matrix) @ [*middle, 1])[:3]
    if node.GetParentTransformNode() is None:
        return local
    toWorld = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformToWorld(toWorld)
    return np.array(toWorld.TransformPoint(local))


def centreOfLabels(image: sitk.Image) -> np.ndarray:
    middle = np.argwhere(sitk.GetArrayFromImage(image) > 0).mean(axis=0)[::-1]
    return np.array(image.TransformContinuousIndexToPhysicalPoint(middle.tolist())) * (-1, -1, 1)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", GRIDS)
def test_a_segment_survives_the_way_to_the_files_and_back(scene, tmp_path, name, transform):
    size, matrix = GRIDS[name]
    volume = addVolume(scene, size, matrix)
    parent = addTransform(scene, transform)
    volume.SetAndObserveTransformNodeID(parent and parent.GetID())
    mask = ball(size)
    segmentation = addSegments(mask.astype(np.uint8), [TUMOUR], volume)
    assert segmentation.GetTransformNodeID() == volume.GetTransformNodeID()
    np.testing.assert_array_equal(segmentVoxels(segmentation, "tumour", volume), mask)

    exportVolume(volume, tmp_path / "image.nrrd")
    exportSegments(segmentation, [TUMOUR], volume, tmp_path / "label.seg.nrrd")
    image, label = sitk.ReadImage(tmp_path / "image.nrrd"), sitk.ReadImage(tmp_path / "label.seg.nrrd")
    back = readLabelsOnVolume(tmp_path / "label.seg.nrrd", snapshotOfVolume(volume)) > 0

    assert image.GetSize() == label.GetSize()
    np.testing.assert_allclose(image.GetOrigin(), label.GetOrigin(), atol=1e-6)
    half = 0.5 * np.array(image.GetSpacing()).max()
    assert np.linalg.norm(centreOfLabels(label) - centreRas(volume, mask)) < half
    if transform in ("shear", "warp"):
        assert dice(back, mask) >= 0.98
    else:
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels(volume))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(label) > 0, mask)
        np.testing.assert_array_equal(back, mask)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_an_image_under_a_transform_shows_the_same_in_the_world(scene, transform):
    """Each voxel of the exported image has the value that the volume shows at that place of the world."""
    size, matrix = GRIDS["oblique"]
    volume = addVolume(scene, size, matrix, dtype=np.float32)
    parent = addTransform(scene, transform)
    volume.SetAndObserveTransformNodeID(parent and parent.GetID())
    snapshot = snapshotOfVolume(volume)
    image = snapshot.worldImage()
    toWorld = snapshot.placement.indicesToWorld()
    for x, y, z in ((5, 6, 4), (12, 10, 8), (18, 13, 11)):
        ras = np.array(toWorld.TransformPoint((x, y, z)))
        index = image.TransformPhysicalPointToContinuousIndex((ras * (-1, -1, 1)).tolist())
        # The values are linear in space, so that linear interpolation gives them exactly.
        assert image.EvaluateAtContinuousIndex(index) == pytest.approx(
            3 * x + 5 * y + 7 * z, abs=1e-3 if transform in ("none", "rigid", "scaling") else 0.6
        )


def test_export_leaves_the_nodes_as_they_are(scene, tmp_path):
    size, matrix = GRIDS["oblique"]
    volume = addVolume(scene, size, matrix)
    parent = addTransform(scene, "warp")
    volume.SetAndObserveTransformNodeID(parent.GetID())
    before = voxels(volume).copy(), volume.GetMTime()
    exportVolume(volume, tmp_path / "image.nrrd")
    np.testing.assert_array_equal(voxels(volume), before[0])
    assert volume.GetMTime() == before[1]
    assert volume.GetParentTransformNode() is parent
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_voxels_keep_their_type_and_value(scene, tmp_path, dtype):
    size, matrix = GRIDS["flipped"]
    volume = addVolume(scene, size, matrix, dtype=dtype)
    exportVolume(volume, tmp_path / "image.nrrd")
    array = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "image.nrrd"))
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, voxels(volume))


def test_a_volume_whose_voxels_start_elsewhere_keeps_its_place(scene):
    size, matrix = GRIDS["oblique"]
    volume = addVolume(scene, size, matrix)
    expected = snapshotOfVolume(volume).worldImage()
    volume.GetImageData().SetExtent(3, 26, -2, 17, 0, 15)
    moved = matrix.copy()
    moved[:3, 3] = (matrix @ [-3, 2, 0, 1])[:3]
    volume.SetIJKToRASMatrix(matrixFromArray(moved))
    image = snapshotOfVolume(volume).worldImage()
    np.testing.assert_allclose(image.GetOrigin(), expected.GetOrigin(), atol=1e-9)


def test_colour_volumes_are_refused(scene):
    volume = addVolume(scene, (4, 4, 4), np.eye(4), "photo", "vtkMRMLVectorVolumeNode")
    volume.GetImageData().AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    with pytest.raises(VolumeError, match=r"'photo' has 3 values per voxel .* Vector to Scalar Volume"):
        snapshotOfVolume(volume)


def test_a_volume_without_voxels_is_refused(scene):
    with pytest.raises(VolumeError, match="'empty' has no voxels"):
        snapshotOfVolume(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))


def test_where_segments_overlap_the_later_structure_wins(scene):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    whole = np.zeros(size[::-1], np.uint8)
    whole[4:12, 4:12, 4:12] = 1
    part = np.zeros(size[::-1], np.uint8)
    part[6:8, 6:8, 6:8] = 1
    segmentation = addSegments(whole, [LIVER], volume)
    addSegments(part, [TUMOUR], volume, segmentation)
    grid = snapshotOfVolume(volume).worldImage()
    inOrder = sitk.GetArrayFromImage(snapshotOfSegments(segmentation, ["liver", "tumour"]).labelsOn(grid))
    assert (np.count_nonzero(inOrder == 1), np.count_nonzero(inOrder == 2)) == (512 - 8, 8)
    reverse = sitk.GetArrayFromImage(snapshotOfSegments(segmentation, ["tumour", "liver"]).labelsOn(grid))
    assert (np.count_nonzero(reverse == 1), np.count_nonzero(reverse == 2)) == (0, 512)


def test_names_are_found_whatever_their_case_and_absent_ones_stay_empty(scene):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    segmentation = addSegments(ball(size).astype(np.uint8), [LIVER], volume)
    labels = snapshotOfSegments(segmentation, ["spleen", "LIVER"]).labelsOn(snapshotOfVolume(volume).worldImage())
    assert set(np.unique(sitk.GetArrayFromImage(labels))) == {0, 2}
    with pytest.raises(VolumeError, match="none of the segments spleen; its segments are: liver"):
        snapshotOfSegments(segmentation, ["spleen"])


def test_closed_surfaces_fill_the_voxels_they_enclose(scene, tmp_path):
    size, matrix = (40, 36, 32), GRIDS["oblique"][1]
    volume = addVolume(scene, size, matrix)
    transform = addTransform(scene, "rigid")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    segmentation = addSegments(ball(size).astype(np.uint8), [TUMOUR], volume)
    surface = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
    segmentation.GetSegmentation().SetConversionParameter("Smoothing factor", "0")
    assert segmentation.GetSegmentation().CreateRepresentation(surface)
    segmentation.GetSegmentation().SetSourceRepresentationName(surface)
    exportSegments(segmentation, [TUMOUR], volume, tmp_path / "label.seg.nrrd")
    filled = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "label.seg.nrrd")) > 0
    assert dice(filled, ball(size)) > 0.97
    with pytest.raises(VolumeError, match="stored as 'Closed surface' and takes no voxels"):
        addSegments(ball(size).astype(np.uint8), [TUMOUR], volume, segmentation)


def test_predicted_segments_carry_what_the_model_says_and_lie_beside_the_volume(scene, tmp_path):
    size, matrix = GRIDS["oblique"]
    volume = addVolume(scene, size, matrix)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "MR 2024")
    hierarchy.CreateItem(study, volume)
    terminology = "list~SCT^85756007^Tissue~SCT^10200004^Liver~^^~Anatomic codes~^^~^^"
    liver = Structure("liver", (1,), (0, 128, 255), terminology)
    labels = sitk.GetImageFromArray(ball(size).astype(np.uint8) * 2)
    labels.CopyInformation(snapshotOfVolume(volume).worldImage())
    sitk.WriteImage(labels, tmp_path / "label.nrrd")

    segmentation = importSegments(tmp_path / "label.nrrd", [TUMOUR, liver], volume, name="AIDE of image")

    assert segmentation.GetName() == "AIDE of image"
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    assert [segmentation.GetSegmentation().GetSegment(one).GetName() for one in ids] == ["tumour", "liver"]
    segment = segmentation.GetSegmentation().GetSegment(ids[1])
    assert [round(part * 255) for part in segment.GetColor()] == [0, 128, 255]
    assert Logic.GetSegmentStatus(segment) == Logic.InProgress
    assert structuresOfSegmentation(segmentation)[1] == Structure("liver", (2,), (0, 128, 255), terminology)
    assert segmentation.GetNodeReference("referenceImageGeometryRef") is volume
    assert not segmentVoxels(segmentation, "tumour", volume).any()
    np.testing.assert_array_equal(segmentVoxels(segmentation, "liver", volume), ball(size))


def test_in_an_existing_segmentation_only_the_structures_of_the_same_name_are_replaced(scene):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    first = np.zeros(size[::-1], np.uint8)
    first[2:6, 2:6, 2:6], first[10:14, 10:14, 10:14] = 1, 2
    segmentation = addSegments(first, [TUMOUR, LIVER], volume)
    segment = segmentation.GetSegmentation().GetSegment(segmentation.GetSegmentation().GetSegmentIDs()[0])
    segment.SetColor(0.1, 0.2, 0.3)
    identifiers = segmentation.GetSegmentation().GetSegmentIDs()
    second = np.zeros(size[::-1], np.uint8)
    # Overlaps the liver, which must not lose a voxel by it.
    second[8:12, 8:12, 8:12] = 1

    addSegments(second, [TUMOUR, Structure("cyst", (2,), (1, 2, 3), "")], volume, segmentation)

    assert segmentation.GetSegmentation().GetSegmentIDs()[:2] == identifiers
    np.testing.assert_array_equal(segmentVoxels(segmentation, "tumour", volume), second == 1)
    np.testing.assert_array_equal(segmentVoxels(segmentation, "liver", volume), first == 2)
    assert not segmentVoxels(segmentation, "cyst", volume).any()
    assert segment.GetColor() == pytest.approx((0.1, 0.2, 0.3))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_an_existing_segmentation_under_another_transform_keeps_it(scene, transform):
    size, matrix = (48, 40, 32), GRIDS["oblique"][1]
    volume = addVolume(scene, size, matrix)
    other = addTransform(scene, transform)
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    segmentation.SetAndObserveTransformNodeID(other and other.GetID())
    mask = ball(size)
    addSegments(mask.astype(np.uint8), [TUMOUR], volume, segmentation)
    assert segmentation.GetParentTransformNode() is other
    grid = snapshotOfVolume(volume).worldImage()
    shown = sitk.GetArrayFromImage(snapshotOfSegments(segmentation, ["tumour"]).labelsOn(grid)) > 0
    assert dice(shown, mask) >= (0.98 if transform in ("shear", "warp") else 1.0)


def test_a_3d_view_of_the_existing_segmentation_follows(scene):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    segmentation = addSegments(ball(size).astype(np.uint8), [TUMOUR], volume)
    surface = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
    segmentation.GetSegmentation().CreateRepresentation(surface)
    small = np.zeros(size[::-1], np.uint8)
    small[3:6, 3:6, 3:6] = 1
    addSegments(small, [TUMOUR], volume, segmentation)
    identifier = segmentation.GetSegmentation().GetSegmentIDs()[0]
    shape = segmentation.GetClosedSurfaceInternalRepresentation(identifier)
    assert shape is not None
    bounds = shape.GetBounds()
    assert bounds[1] - bounds[0] < 5


def test_an_error_on_the_way_leaves_the_scene_as_it_was(scene, monkeypatch):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    first = np.zeros(size[::-1], np.uint8)
    first[2:6, 2:6, 2:6] = 1
    segmentation = addSegments(first, [LIVER], volume)
    nodes = scene.GetNumberOfNodes()

    def fail(*arguments):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("AIDESlicer.segment_import.setInProgress", fail)
    with pytest.raises(RuntimeError, match="out of luck"):
        addSegments(first, [TUMOUR], volume)
    assert scene.GetNumberOfNodes() == nodes
    with pytest.raises(RuntimeError, match="out of luck"):
        addSegments(np.roll(first, 5), [LIVER, TUMOUR], volume, segmentation)
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    assert [segmentation.GetSegmentation().GetSegment(one).GetName() for one in ids] == ["liver"]
    np.testing.assert_array_equal(segmentVoxels(segmentation, "liver", volume), first == 1)


def test_labels_that_do_not_fit_are_refused(scene, tmp_path):
    size, matrix = GRIDS["plain"]
    volume = addVolume(scene, size, matrix)
    with pytest.raises(VolumeError, match="The labels have 24 x 20 x 15 voxels, but volume 'image' has 24 x 20 x 16"):
        addSegments(np.zeros((15, 20, 24), np.uint8), [LIVER], volume)
    with pytest.raises(VolumeError, match="hold the value 3, but there are only 1 structures"):
        addSegments(np.full(size[::-1], 3, np.uint8), [LIVER], volume)
    (tmp_path / "broken.nrrd").write_bytes(b"NRRD0005\n")
    with pytest.raises(VolumeError, match=r"broken\.nrrd cannot be read"):
        importSegments(tmp_path / "broken.nrrd", [LIVER], volume)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_names_and_colours_are_written_with_the_segments(scene, tmp_path):
    size, matrix = GRIDS["oblique"]
    volume = addVolume(scene, size, matrix)
    segmentation = addSegments(ball(size).astype(np.uint8), [LIVER], volume)
    exportSegments(segmentation, [TUMOUR, LIVER], volume, tmp_path / "label.seg.nrrd")
    file = read_segmentation(tmp_path / "label.seg.nrrd")
    assert [segment.name for segment in file.segments] == ["tumour", "liver"]
    np.testing.assert_array_equal(file.mask(file.segments[1]), ball(size))
