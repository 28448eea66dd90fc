"""Marks on what AIDE itself adds to the scene, so that it does not come back as images and trusted labels of patients."""

from __future__ import annotations

from enum import Enum

import slicer
import vtk

from AIDELib.segmentation_file import COMPUTED_TAG

_ROLE_ATTRIBUTE = "AIDE.Role"


class NodeRole(str, Enum):
    """What a node of AIDE's own is for."""

    PROBABILITY = "probability"
    REVIEW = "review"
    EDITED_LABEL = "edited label"


def markNode(node: slicer.vtkMRMLNode, role: NodeRole) -> None:
    """Mark a node as AIDE's own."""
    node.SetAttribute(_ROLE_ATTRIBUTE, role.value)


def roleOf(node: slicer.vtkMRMLNode) -> NodeRole | None:
    """Return what a node of AIDE's own is for; None for any other node."""
    return next((role for role in NodeRole if role.value == node.GetAttribute(_ROLE_ATTRIBUTE)), None)


def markAsComputed(segment: slicer.vtkSegment) -> None:
    """Mark a segment as one that a model drew."""
    segment.SetTag(COMPUTED_TAG, "1")


def isComputed(segment: slicer.vtkSegment) -> bool:
    """Return whether a model drew a segment, whoever corrected it since."""
    return bool(segment.GetTag(COMPUTED_TAG, vtk.reference("")))
