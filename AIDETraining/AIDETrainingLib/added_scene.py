"""Another scene added to the one that is worked on: its cases join the case table, and no choice is replaced."""

from __future__ import annotations

import uuid

import slicer
import vtk

from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.table_addition import addRows
from AIDETrainingLib.table_store import PARAMETER, storedTable


class AddedScene:
    """The choices and the case table as they were before a scene is read.

    The scene has one parameter node of the module, so that the one of the scene that is added takes its place.

    Args:
        node: the vtkMRMLScriptedModuleNode that holds them.
    """

    def __init__(self, node: vtk.vtkObject) -> None:
        self._parameters = {name: node.GetParameter(name) for name in node.GetParameterNames()}
        self._table = storedTable(node)

    def join(self, node: vtk.vtkObject, table: CaseTable) -> None:
        """Bring back what was there, where there were cases, and add to them those of the scene that was read.

        Raises:
            DatasetError: these do not fit the table, which is then as it was before.
        """
        _channels, _structures, mine = self._table
        if not mine or node.GetParameter(PARAMETER) == self._parameters[PARAMETER]:
            return
        channels, structures, rows = storedTable(node)
        with slicer.util.NodeModify(node):
            for name, value in self._parameters.items():
                node.SetParameter(name, value)
            table.replaceContent(*self._table)
        keys = {row.key for row in mine}
        added = [row.replace(key=uuid.uuid4().hex[:12]) if row.key in keys else row for row in rows]
        if added:
            addRows(table, channels, [structure.toStructure() for structure in structures], added)
