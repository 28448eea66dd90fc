"""The labels that are being edited in the label review: the scene knows which, so that none is lost with the module."""

from __future__ import annotations

from pathlib import Path

import slicer
import vtk

from AIDESlicer.own_nodes import NodeRole, markNode, roleOf

_CASE_ATTRIBUTE, _RUN_ATTRIBUTE = "AIDETraining.Case", "AIDETraining.Run"


def markEdited(node: vtk.vtkObject, run: Path, caseName: str) -> None:
    """Mark a segmentation as the label of a case that a person is editing."""
    markNode(node, NodeRole.EDITED_LABEL)
    node.SetAttribute(_CASE_ATTRIBUTE, caseName)
    node.SetAttribute(_RUN_ATTRIBUTE, str(run))


def editedLabel(run: Path, caseName: str) -> vtk.vtkObject | None:
    """Return the segmentation in which the label of a case is being edited, None for none."""
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        marks = node.GetAttribute(_CASE_ATTRIBUTE), node.GetAttribute(_RUN_ATTRIBUTE)
        if roleOf(node) is NodeRole.EDITED_LABEL and marks == (caseName, str(run)):
            return node
    return None
