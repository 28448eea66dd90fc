"""Where nodes stand in the subject hierarchy."""

from __future__ import annotations

import slicer
import vtk

_STUDY, _PATIENT = "Study", "Patient"


class SubjectHierarchy:
    """The patients and studies of a scene's subject hierarchy."""

    def __init__(self) -> None:
        self._node = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)

    def study(self, node: vtk.vtkObject) -> int:
        """Return the item of the study, or else of the folder, that a node stands in; 0 for none."""
        item = self._node.GetItemByDataNode(node)
        if not item:
            return 0
        study = self._node.GetItemAncestorAtLevel(item, _STUDY)
        if study:
            return study
        parent = self._node.GetItemParent(item)
        return 0 if parent in (0, self._node.GetSceneItemID()) else parent

    def isOfOnePatient(self, item: int) -> bool:
        """Return whether an item is a study or a patient or stands below one; a plain folder may hold several patients."""
        return bool(item) and any(
            self._node.GetItemLevel(item) == level or self._node.GetItemAncestorAtLevel(item, level)
            for level in (_STUDY, _PATIENT)
        )

    def patient(self, node: vtk.vtkObject) -> str:
        """Return the name of the patient that a node stands under, empty for none."""
        item = self._node.GetItemByDataNode(node)
        patient = self._node.GetItemAncestorAtLevel(item, _PATIENT) if item else 0
        return self._node.GetItemName(patient) if patient else ""
