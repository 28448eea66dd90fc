"""The case table kept in the parameter node, so that a saved and reloaded scene restores it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import slicer
import vtk

from AIDELib.case import LabelQuality, Split
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import DEFAULT_CHANNEL, CaseTable
from AIDETrainingLib.table_structure import TableStructure

PARAMETER = "caseTable"
_ROLE = "AIDETraining.Case."


class TableStore:
    """Writes a table into a parameter node after each edit, and reads it when the node changes from outside.

    Nodes are kept as references of the parameter node, which follow their nodes when IDs change while a scene is loaded.
    """

    def __init__(self, table: CaseTable) -> None:
        self._table = table
        self._node: vtk.vtkObject | None = None
        self._stored = ""
        self._reading = False
        table.observe(self._write)

    def attach(self, node: vtk.vtkObject | None) -> None:
        """Keep the table in this vtkMRMLScriptedModuleNode from now on, and read what it holds; None: in none."""
        self._node = node
        if node is not None:
            self._stored = ""
            self.readIfChanged()

    def readIfChanged(self) -> None:
        """Read the table if the parameter node holds another one."""
        if self._node is None or self._reading:
            return
        text = self._node.GetParameter(PARAMETER) or ""
        if text == self._stored:
            return
        self._reading = True
        try:
            self._table.replaceContent(*storedTable(self._node))
            self._stored = text
        finally:
            self._reading = False

    def _write(self) -> None:
        if self._node is None or self._reading:
            return
        with slicer.util.NodeModify(self._node):
            wanted: dict[str, str] = {}
            text = json.dumps(_document(self._table, wanted), ensure_ascii=False)
            self._stored = text
            _updateReferences(self._node, wanted)
            self._node.SetParameter(PARAMETER, text)


def _updateReferences(node: vtk.vtkObject, wanted: dict[str, str]) -> None:
    roles = [role for role in _roles(node) if role.startswith(_ROLE)]
    for role in roles:
        if role not in wanted:
            node.RemoveNodeReferenceIDs(role)
    for role, nodeID in wanted.items():
        if node.GetNodeReferenceID(role) != nodeID:
            node.SetNodeReferenceID(role, nodeID)


def _roles(node: vtk.vtkObject) -> list[str]:
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    return roles


def _document(table: CaseTable, references: dict[str, str]) -> dict[str, Any]:
    return {
        "channels": table.channels,
        "structures": [
            {
                "name": structure.name,
                "values": list(structure.values),
                "color": list(structure.color),
                "terminology": structure.terminology,
                "used": structure.used,
            }
            for structure in table.structures
        ],
        "rows": [_rowDocument(row, references) for row in table.rows],
    }


def _rowDocument(row: CaseRow, references: dict[str, str]) -> dict[str, Any]:
    def place(source: Source | None, slot: str) -> dict[str, str] | None:
        if source is None:
            return None
        if source.path:
            return {"file": source.path}
        role = f"{_ROLE}{row.key}.{slot}"
        references[role] = source.nodeID
        return {"node": role}

    return {
        "key": row.key,
        "name": row.name,
        "images": [place(image, f"image{index}") for index, image in enumerate(row.images)],
        "label": place(row.label, "label"),
        "quality": row.quality.value,
        "split": row.split.value,
        "patient": row.patient,
        "domain": row.domain,
        "raters": [place(label, f"rater{index}") for index, label in enumerate(row.raterLabels)],
    }


def storedTable(node: vtk.vtkObject) -> tuple[list[str], list[TableStructure], list[CaseRow]]:
    """Return the channels, structures and rows that a parameter node holds."""
    text = node.GetParameter(PARAMETER)
    if not text:
        return [DEFAULT_CHANNEL], [], []
    document = json.loads(text)
    structures = [
        TableStructure(
            entry["name"], tuple(entry["values"]), tuple(entry["color"]), entry["terminology"], entry["used"]
        )
        for entry in document["structures"]
    ]
    return document["channels"], structures, [_parseRow(entry, _sourceReader(node)) for entry in document["rows"]]


def _sourceReader(node: vtk.vtkObject) -> Callable[[dict[str, str] | None], Source | None]:
    def read(place: dict[str, str] | None) -> Source | None:
        if place is None:
            return None
        if "file" in place:
            return Source(path=place["file"])
        nodeID = node.GetNodeReferenceID(place["node"])
        return Source(nodeID=nodeID) if nodeID else None

    return read


def _parseRow(entry: dict[str, Any], read: Callable[[dict[str, str] | None], Source | None]) -> CaseRow:
    label = read(entry["label"])
    return CaseRow(
        key=entry["key"],
        name=entry["name"],
        images=tuple(read(place) for place in entry["images"]),
        label=label,
        quality=LabelQuality(entry["quality"]),
        split=Split(entry["split"]),
        patient=entry["patient"],
        domain=entry["domain"],
        raterLabels=tuple(source for source in map(read, entry["raters"]) if source is not None),
    )
