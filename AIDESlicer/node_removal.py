"""Nodes removed from the scene with all that belongs to them."""

from __future__ import annotations

import slicer


def removeNode(node: slicer.vtkMRMLDisplayableNode | None) -> None:
    """Remove a node from the scene with the nodes that display it."""
    if node is None:
        return
    displays = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    # The node first: what shows a segmentation looks for its display node as long as it is there.
    slicer.mrmlScene.RemoveNode(node)
    for display in displays:
        slicer.mrmlScene.RemoveNode(display)
