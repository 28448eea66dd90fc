"""qMRMLNodeComboBox: the nodes of some classes in the scene, one of them current."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from ..pythonqt.declared_property import add_setters, declared_property

_SCENE_CHANGED_AT_ONCE = ("EndBatchProcessEvent", "EndImportEvent", "EndCloseEvent", "EndRestoreEvent")


@add_setters
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """A combo box of nodes, kept up to date with the scene."""

    currentNodeChanged = QtCore.Signal((object,), (bool,))
    currentNodeIDChanged = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    nodeAdded = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)
    nodeAboutToBeRemoved = QtCore.Signal(object)
    nodeAboutToBeEdited = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._scene_tags: list[tuple[Any, int]] = []
        self._nodes: list[Any] = []
        self._node_tags: list[tuple[Any, int]] = []
        self._current_id = ""
        self._requested_id = ""
        self._attributes: list[tuple[str, str, Any]] = []
        self._combo_box = QtWidgets.QComboBox(self)
        self._combo_box.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo_box)
        self._combo_box.currentIndexChanged.connect(self._index_changed)
        self._combo_box.activated.connect(self._activated)
        self.enabled = False
        tags = (self._scene_tags, self._node_tags)
        # Not a method: the widget is gone by then.
        self.destroyed.connect(lambda: [_remove_observers(items) for items in tags])

    def _rebuild(self) -> None:
        if self._scene is not None:
            self._show_nodes()

    nodeTypes = declared_property("QStringList", "nodeTypes", [], _rebuild)
    hideChildNodeTypes = declared_property("QStringList", "hideChildNodeTypes", [], _rebuild)
    showHidden = declared_property(bool, "showHidden", False, _rebuild)
    showChildNodeTypes = declared_property(bool, "showChildNodeTypes", True, _rebuild)
    noneEnabled = declared_property(bool, "noneEnabled", False, _rebuild)
    noneDisplay = declared_property(str, "noneDisplay", "None", _rebuild)
    addEnabled = declared_property(bool, "addEnabled", True, _rebuild)
    removeEnabled = declared_property(bool, "removeEnabled", True, _rebuild)
    editEnabled = declared_property(bool, "editEnabled", False, _rebuild)
    renameEnabled = declared_property(bool, "renameEnabled", False, _rebuild)
    selectNodeUponCreation = declared_property(bool, "selectNodeUponCreation", True)
    baseName = declared_property(str, "baseName", "")
    interactionNodeSingletonTag = declared_property(str, "interactionNodeSingletonTag", "")

    def mrmlScene(self) -> Any:
        return self._scene

    @QtCore.Slot(object)
    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        _remove_observers(self._scene_tags)
        self._scene = scene
        self.enabled = scene is not None
        if scene is not None:
            self._observe(scene)
        self._show_nodes()

    def _observe(self, scene: Any) -> None:
        @vtk.calldata_type(vtk.VTK_OBJECT)
        def node_added(_caller: Any, _event: str, node: Any) -> None:
            if not scene.IsBatchProcessing() and self._is_shown(node):
                self._append(node)
                self.nodeAdded.emit(node)

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def node_removed(_caller: Any, _event: str, node: Any) -> None:
            if not scene.IsBatchProcessing():
                self._take_out(node)

        observed = {"NodeAddedEvent": node_added, "NodeRemovedEvent": node_removed}
        observed.update({name: lambda _caller, _event: self._show_nodes() for name in _SCENE_CHANGED_AT_ONCE})
        for name, function in observed.items():
            self._scene_tags.append((scene, scene.AddObserver(getattr(slicer.vtkMRMLScene, name), function)))

    def addAttribute(self, nodeType: str, attributeName: str, attributeValue: Any = None) -> None:
        self._attributes.append((nodeType, attributeName, attributeValue))
        self._rebuild()

    def removeAttribute(self, nodeType: str, attributeName: str) -> None:
        self._attributes = [item for item in self._attributes if item[:2] != (nodeType, attributeName)]
        self._rebuild()

    def _is_shown(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        kinds = [kind for kind in self.nodeTypes if node.IsA(kind)]
        if not kinds or (not self.showChildNodeTypes and node.GetClassName() not in self.nodeTypes):
            return False
        if any(node.IsA(kind) for kind in self.hideChildNodeTypes):
            return False
        for kind, name, value in self._attributes:
            if node.IsA(kind) and (
                node.GetAttribute(name) is None or (value is not None and node.GetAttribute(name) != str(value))
            ):
                return False
        return True

    def _show_nodes(self) -> None:
        scene_nodes = []
        if self._scene is not None:
            scene_nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        _remove_observers(self._node_tags)
        self._nodes = [node for node in scene_nodes if self._is_shown(node)]
        for node in self._nodes:
            self._watch(node)
        blocked = self._combo_box.blockSignals(True)
        self._combo_box.clear()
        if self.noneEnabled:
            self._combo_box.addItem(self.noneDisplay, None)
        for node in self._nodes:
            self._combo_box.addItem(node.GetName() or "", node.GetID())
        self._add_actions()
        self._combo_box.blockSignals(blocked)
        wanted = self._requested_id or self._current_id
        self._requested_id = ""
        self._select(wanted if any(node.GetID() == wanted for node in self._nodes) else "")

    def _watch(self, node: Any) -> None:
        self._node_tags.append((node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._node_modified)))

    # One node more or less: hundreds come and go one by one.
    def _append(self, node: Any) -> None:
        blocked = self._combo_box.blockSignals(True)
        self._combo_box.insertItem(len(self._nodes) + int(self.noneEnabled), node.GetName() or "", node.GetID())
        self._combo_box.blockSignals(blocked)
        self._nodes.append(node)
        self._watch(node)
        # Qt makes the first item of an empty combo box current; with None or an action in it, it is not empty.
        if self._combo_box.count == 1:
            self._select(node.GetID())
        else:
            self._select(self._current_id)

    def _take_out(self, node: Any) -> None:
        index = next((index for index, shown in enumerate(self._nodes) if shown is node), -1)
        if index < 0:
            return
        del self._nodes[index]
        observed, tag = self._node_tags.pop(index)
        observed.RemoveObserver(tag)
        blocked = self._combo_box.blockSignals(True)
        self._combo_box.removeItem(index + int(self.noneEnabled))
        self._combo_box.blockSignals(blocked)
        # In the place of the current node comes the one that follows, or the last.
        if node.GetID() == self._current_id and self._nodes:
            self._select(self._nodes[min(index, len(self._nodes) - 1)].GetID())
        else:
            self._select("" if node.GetID() == self._current_id else self._current_id)

    def _add_actions(self) -> None:
        actions = []
        if self.addEnabled and self._scene is not None:
            for kind in self.nodeTypes:
                tag = self._scene.GetTagByClassName(kind) or kind
                actions.append((f"Create new {self.baseName or tag}", ("add", kind)))
        if self.renameEnabled:
            actions.append(("Rename current node", ("rename", "")))
        if self.removeEnabled:
            actions.append(("Delete current node", ("remove", "")))
        if actions:
            self._combo_box.insertSeparator(self._combo_box.count)
        for text, action in actions:
            self._combo_box.addItem(text, list(action))

    def _node_modified(self, node: Any, _event: str) -> None:
        index = self._combo_box.findData(node.GetID())
        if index >= 0 and self._combo_box.itemText(index) != node.GetName():
            self._combo_box.setItemText(index, node.GetName() or "")

    def _select(self, node_id: str) -> None:
        """Make a node current and tell of it if it was not."""
        index = self._combo_box.findData(node_id) if node_id else (0 if self.noneEnabled else -1)
        blocked = self._combo_box.blockSignals(True)
        self._combo_box.setCurrentIndex(index)
        self._combo_box.blockSignals(blocked)
        if node_id == self._current_id:
            return
        self._current_id = node_id
        node = self.currentNode()
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(node_id)

    def _index_changed(self, index: int) -> None:
        data = self._combo_box.itemData(index) if index >= 0 else None
        if not isinstance(data, list):
            self._select(data or "")

    def _activated(self, index: int) -> None:
        data = self._combo_box.itemData(index)
        if not isinstance(data, list):
            self.nodeActivated.emit(self.currentNode())
            return
        action, kind = data
        self._select(self._current_id)
        if action == "add":
            self.nodeAddedByUser.emit(self.addNode(kind))
        elif action == "remove" and self.currentNode() is not None:
            self.nodeAboutToBeRemoved.emit(self.currentNode())
            self._scene.RemoveNode(self.currentNode())
        elif action == "rename" and self.currentNode() is not None:
            name = QtWidgets.QInputDialog.getText(self, "Rename node", "New name:")
            if name:
                self.currentNode().SetName(name)

    def addNode(self, nodeType: str = "") -> Any:
        kind = nodeType or next(iter(self.nodeTypes), "")
        name = self._scene.GenerateUniqueName(self.baseName) if self.baseName else ""
        node = self._scene.AddNewNodeByClass(kind, name)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    def currentNode(self) -> Any:
        return next((node for node in self._nodes if node.GetID() == self._current_id), None)

    def _get_current_id(self) -> str:
        return self._current_id

    def setCurrentNodeID(self, nodeID: str) -> None:
        known = any(node.GetID() == nodeID for node in self._nodes)
        # Without a scene yet, the node becomes current when there is one.
        self._requested_id = nodeID if self._scene is None else ""
        self._select(nodeID if known else "")

    currentNodeID = QtCore.Property(str, _get_current_id, setCurrentNodeID)

    @QtCore.Slot(object)
    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None and hasattr(node, "GetID") else node or "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self._select(self._nodes[index].GetID())

    def nodeCount(self) -> int:
        return len(self._nodes)

    def nodeFromIndex(self, index: int) -> Any:
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    def nodes(self) -> tuple[Any, ...]:
        return tuple(self._nodes)


def _remove_observers(tags: list[tuple[Any, int]]) -> None:
    for observed, tag in tags:
        observed.RemoveObserver(tag)
    tags.clear()
