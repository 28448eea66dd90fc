"""Predictions of the real background process on volumes that lie askew: the segment lies where the organ is."""

from __future__ import annotations

import itertools

import module_fixture
import numpy as np
import slicer
import vtk
from module_fixture import dice
from tiny_model import bodyWithOrgans
from vtk.util.numpy_support import vtk_to_numpy


class GeometryTest(module_fixture.ModuleTestCase):
    """Oblique, flipped, anisotropic and single-slice volumes, without a transform and under others."""

    def test_segments_lie_on_the_organs(self):
        grids = {
            "axial": ((32, 32, 12), (2.0, 2.0, 4.0), np.diag([-1.0, -1.0, 1.0])),
            "flipped": ((32, 32, 12), (2.0, 2.0, 4.0), np.diag([-1.0, -1.0, -1.0])),
            "anisotropic": ((36, 28, 8), (1.8, 2.2, 7.0), np.diag([-1.0, -1.0, 1.0])),
            "oblique": ((32, 32, 12), (2.0, 2.0, 4.0), _turned(12) @ np.diag([-1.0, -1.0, 1.0])),
            "one slice": ((32, 32, 1), (2.0, 2.0, 4.0), np.diag([-1.0, -1.0, 1.0])),
        }
        volumes, truths = [], []
        for (name, (size, spacing, axes)), transform in itertools.product(grids.items(), (None, "rigid", "warp")):
            image, labels = bodyWithOrgans(size, 99)
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{name} {transform}")
            slicer.util.updateVolumeFromArray(node, image)
            node.SetIJKToRASDirections(*axes.ravel().tolist())
            node.SetSpacing(*spacing)
            node.SetOrigin(15, 25, -12)
            node.SetAndObserveTransformNodeID(self._transformId(transform))
            volumes.append(node)
            truths.append(labels)
        self.ui.batchCollapsibleButton.collapsed = False
        self.ui.batchButton.click()
        self.waitFor(lambda: not self.widget.panel.run.isRunning, 300)
        self.assertEqual(self.errors, [])
        segmentations = {node.GetName(): node for node in self.segmentations()}
        self.assertEqual(len(segmentations), len(volumes))
        for volume, truth in zip(volumes, truths, strict=True):
            with self.subTest(volume.GetName()):
                segmentation = segmentations[f"{volume.GetName()} segmentation"]
                self.assertIs(segmentation.GetParentTransformNode(), volume.GetParentTransformNode())
                found = self.segmentVoxels(segmentation, "liver", volume)
                self.assertGreater(dice(found, truth == 1), 0.85)
                distance = np.abs(_centreInVoxels(found) - _centreInVoxels(truth == 1))
                self.assertLess(distance.max(), 0.5)
                distance = _centreOfSegment(segmentation, "liver") - _toWorld(volume, _centreInVoxels(found))
                self.assertLess(np.linalg.norm(distance), 0.5 * min(volume.GetSpacing()))

    def _transformId(self, kind) -> str | None:
        if kind is None:
            return None
        if kind == "rigid":
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = _turned(-8), (30, -12, 5)
            node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
            return node.GetID()
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
        spline = vtk.vtkThinPlateSplineTransform()
        spline.SetBasisToR()
        source, target = vtk.vtkPoints(), vtk.vtkPoints()
        moves = np.random.default_rng(5).uniform(-1.5, 1.5, (27, 3))
        for place, move in zip(itertools.product((-60, -10, 40), (-60, -10, 40), (-40, 10, 60)), moves, strict=True):
            source.InsertNextPoint(place)
            target.InsertNextPoint(np.add(place, move))
        spline.SetSourceLandmarks(source)
        spline.SetTargetLandmarks(target)
        node.SetAndObserveTransformToParent(spline)
        return node.GetID()


def _turned(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def _centreInVoxels(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)[::-1]


def _toWorld(volume, index: np.ndarray) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    local = matrix.MultiplyPoint((*index, 1))[:3]
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(volume.GetParentTransformNode(), None, toWorld)
    return np.array(toWorld.TransformPoint(local))


def _centreOfSegment(segmentation, name: str) -> np.ndarray:
    """Centre of mass of a segment in the world, from its own image and transform, without the volume."""
    identifier = segmentation.GetSegmentation().GetSegmentIdBySegmentName(name)
    image = slicer.vtkOrientedImageData()
    segmentation.GetBinaryLabelmapRepresentation(identifier, image)
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    start = image.GetExtent()[::2]
    toNode = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(toNode)
    local = toNode.MultiplyPoint((*(_centreInVoxels(values > 0) + start), 1))[:3]
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(segmentation.GetParentTransformNode(), None, toWorld)
    return np.array(toWorld.TransformPoint(local))
