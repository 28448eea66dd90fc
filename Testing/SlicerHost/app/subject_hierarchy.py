"""What the subject hierarchy plugins do in the application: an item for each node that is added."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

# Node classes with a plugin; other nodes (display, storage, views, parameter nodes) have no item.
_SHOWN = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLModelNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLTransformNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
    "vtkMRMLSequenceNode",
)


class SubjectHierarchyPlugins:
    """Keeps the items of a scene's subject hierarchy."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        for event, function in (("NodeAddedEvent", self._added), ("NodeRemovedEvent", self._removed)):
            scene.AddObserver(getattr(slicer.vtkMRMLScene, event), _with_node(function))
        # Before the displayable managers: they ask for the items' parents, endlessly where one is missing.
        first = 10.0
        for event in ("EndImportEvent", "EndRestoreEvent", "EndCloseEvent"):
            number = getattr(slicer.vtkMRMLScene, event)
            scene.AddObserver(number, lambda _caller, _event: self._scene_replaced(), first)

    def _added(self, node: Any) -> None:
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        elif _is_shown(node) and not self._scene.IsImporting() and not self._scene.IsRestoring():
            self._add_item(node)

    def _scene_replaced(self) -> None:
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        self._add_missing()

    def _add_item(self, node: Any) -> None:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        if hierarchy is not None and not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)

    def _removed(self, node: Any) -> None:
        if self._scene.IsClosing():
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _add_missing(self) -> None:
        for index in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(index)
            if _is_shown(node):
                self._add_item(node)


def _is_shown(node: Any) -> bool:
    return not node.GetHideFromEditors() and any(node.IsA(name) for name in _SHOWN)


def _with_node(function: Any) -> Any:
    @vtk.calldata_type(vtk.VTK_OBJECT)
    def observer(_caller: Any, _event: str, node: Any) -> None:
        function(node)

    return observer
