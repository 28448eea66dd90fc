"""Images in the world brought into the scene as volumes."""

from __future__ import annotations

import SimpleITK as sitk
import slicer

from AIDESlicer.index_image import imageFromArray
from AIDESlicer.itk_grid import indicesToWorldOf
from AIDESlicer.placement import Placement, indexOffset, matrixFromArray
from AIDESlicer.volume_snapshot import VolumeSnapshot, snapshotOfVolume, volumePlacement


def addSnapshot(snapshot: VolumeSnapshot) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a volume that was read from a file, under no transform; its voxels are not copied."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", snapshot.name)
    node.SetAndObserveImageData(snapshot.image)
    node.SetIJKToRASMatrix(matrixFromArray(snapshot.placement.matrix))
    node.CreateDefaultDisplayNodes()
    return node


def addVolume(image: sitk.Image, beside: slicer.vtkMRMLScalarVolumeNode, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add an image, which lies in the world (LPS), as a volume of its own.

    Where its voxels are those of the volume beside it, it gets that one's geometry and parent transform; else it lies in
    the world under no transform. In the subject hierarchy it is placed beside that volume.

    Args:
        image: 3D, one value per voxel.
    """
    scene = beside.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAndObserveImageData(imageFromArray(sitk.GetArrayFromImage(image)))
    neighbour = snapshotOfVolume(beside)
    inWorld = Placement(indicesToWorldOf(image))
    if image.GetSize() == neighbour.size and indexOffset(inWorld, neighbour.placement) == (0, 0, 0):
        parent = beside.GetParentTransformNode()
        node.SetIJKToRASMatrix(matrixFromArray(volumePlacement(beside, parent).matrix))
        node.SetAndObserveTransformNodeID(beside.GetTransformNodeID())
    else:
        node.SetIJKToRASMatrix(matrixFromArray(inWorld.matrix))
    node.CreateDefaultDisplayNodes()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item, neighbourItem = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(beside)
    if item and neighbourItem:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(neighbourItem))
    return node
