"""The volumes and segmentations of patients in the scene: none that are hidden, none of AIDE's own."""

from __future__ import annotations

import slicer

from AIDESlicer.own_nodes import roleOf


def greyVolumes() -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Return the grey volumes, no labelmaps and no colour images, in the order of the scene."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and _isOfPatient(node)
    ]


def segmentations() -> list[slicer.vtkMRMLSegmentationNode]:
    """Return the segmentations, in the order of the scene."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if _isOfPatient(node)]


def _isOfPatient(node: slicer.vtkMRMLNode) -> bool:
    return not node.GetHideFromEditors() and roleOf(node) is None
