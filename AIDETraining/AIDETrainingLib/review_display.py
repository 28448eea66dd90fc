"""A reviewed case in the slice views and in 3D: the volume with the given and the corrected label as segments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _

from AIDELib.case import Case
from AIDELib.errors import AIDEError, VolumeError
from AIDELib.grid import as_volume, same_grid
from AIDELib.structure import Structure
from AIDELib.volume import read_grid
from AIDESlicer.itk_grid import indicesToWorldOf
from AIDESlicer.node_removal import removeNode
from AIDESlicer.own_nodes import NodeRole, markNode
from AIDESlicer.segment_import import addSegments
from AIDESlicer.segmentation_snapshot import segmentIdByName
from AIDESlicer.volume_snapshot import snapshotOfVolume
from AIDETrainingLib.case_row import CaseRow
from AIDETrainingLib.review_labels import ReviewLabels, ReviewMaterial
from AIDETrainingLib.scene_sources import sourceNode
from AIDETrainingLib.stepwise import Step, Steps

# Surfaces of more voxels than this take longer to make than a person should wait for unasked.
MOST_VOXELS_IN_3D = 20_000_000


class ReviewDisplay:
    """The nodes that show the reviewed case; those of the case before are removed, save labels that are being edited."""

    def __init__(self) -> None:
        self._volumeID = ""
        self._segmentationID = ""
        self._loadedID = ""
        self._hiddenIDs: list[str] = []

    @property
    def volumeNode(self) -> vtk.vtkObject | None:
        """The volume that is shown."""
        return slicer.mrmlScene.GetNodeByID(self._volumeID) if self._volumeID else None

    @property
    def segmentationNode(self) -> vtk.vtkObject | None:
        """The segmentation with the given and the corrected label."""
        return slicer.mrmlScene.GetNodeByID(self._segmentationID) if self._segmentationID else None

    def volumeInScene(self, case: Case, row: CaseRow | None) -> vtk.vtkObject | None:
        """Return the volume of the scene that a case was written from, None where it is not there as it was.

        Args:
            row: the row of the case in the table.
        """
        image = row.images[0] if row is not None else None
        node = sourceNode(image) if image is not None else None
        if node is None:
            return None
        with suppress(AIDEError):
            if same_grid(snapshotOfVolume(node).worldGrid(), as_volume(read_grid(case.images[0]))):
                return node
        return None

    def show(
        self, case: Case, row: CaseRow | None, material: ReviewMaterial, structures: Sequence[Structure]
    ) -> Steps[None]:
        """Show a case, centred on the largest disagreement of its labels.

        The given label is drawn as outline, the corrected one as area.

        Raises:
            AIDEError: the labels do not fit the image; nothing is then shown, and neither when the work is closed.
        """
        self.clear()
        try:
            volume = self._addImage(case, material.image) if material.image else self.volumeInScene(case, row)
            if volume is None:
                raise VolumeError(
                    _("The volume of case '{case}' was removed from the scene. Select the case again.").format(
                        case=case.id
                    )
                )
            self._volumeID = volume.GetID()
            self._hideOtherSegmentations()
            yield from self._addLabels(case, volume, material.labels, structures)
            slicer.util.setSliceViewerLayers(background=volume, foreground=None, label=None, fit=True)
        except BaseException:
            self.clear()
            raise
        if slicer.app.layoutManager() is not None:
            slicer.util.resetThreeDViews()
        if material.disagreement is not None:
            left, posterior, superior = material.disagreement.point
            slicer.vtkMRMLSliceNode.JumpAllSlices(
                slicer.mrmlScene, -left, -posterior, superior, slicer.vtkMRMLSliceNode.CenteredJumpSlice
            )

    def clear(self) -> None:
        """Remove what is shown; a volume of the user's own stays."""
        for nodeID in (self._segmentationID, self._loadedID):
            if nodeID:
                removeNode(slicer.mrmlScene.GetNodeByID(nodeID))
        self._volumeID = self._segmentationID = self._loadedID = ""
        for displayID in self._hiddenIDs:
            display = slicer.mrmlScene.GetNodeByID(displayID)
            if display is not None:
                display.SetVisibility(True)
        self._hiddenIDs = []

    def hideSegments(self) -> None:
        """Hide the two labels, so that a label that is being edited can be seen."""
        if self.segmentationNode is not None and self.segmentationNode.GetDisplayNode() is not None:
            self.segmentationNode.GetDisplayNode().SetVisibility(False)

    def reveal(self, node: vtk.vtkObject) -> None:
        """Show a segmentation that was hidden because of the two labels; `clear` leaves it as the user wants it then."""
        for index in range(node.GetNumberOfDisplayNodes()):
            display = node.GetNthDisplayNode(index)
            display.SetVisibility(True)
            if display.GetID() in self._hiddenIDs:
                self._hiddenIDs.remove(display.GetID())

    def _hideOtherSegmentations(self) -> None:
        """Hide what would lie over the two labels; `clear` shows it again."""
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            for index in range(node.GetNumberOfDisplayNodes()):
                display = node.GetNthDisplayNode(index)
                if display is not None and display.GetVisibility():
                    display.SetVisibility(False)
                    self._hiddenIDs.append(display.GetID())

    def _addImage(self, case: Case, image: sitk.Image) -> vtk.vtkObject:
        node = slicer.util.addVolumeFromArray(
            sitk.GetArrayFromImage(image), indicesToWorldOf(image), _("Review: {case}").format(case=case.id)
        )
        _markShown(node)
        self._loadedID = node.GetID()
        return node

    def _addLabels(
        self, case: Case, volume: vtk.vtkObject, labels: ReviewLabels, structures: Sequence[Structure]
    ) -> Steps[None]:
        name = _("Review: {case}").format(case=case.id)
        given = [_renamed(structure, _("{name} (given)")) for structure in structures]
        corrected = [_renamed(structure, _("{name} (corrected)")) for structure in structures]
        yield Step(0.2, _("Showing the given label"))
        node = _addPresent(labels.given, given, volume, None, name)
        self._segmentationID = node.GetID()
        _markShown(node)
        yield Step(0.5, _("Showing the corrected label"))
        if labels.corrected is not None:
            _addPresent(labels.corrected, corrected, volume, node, name)
        _style(node, {structure.name for structure in given})
        yield Step(0.8, _("Making the surfaces"))
        if labels.given.GetNumberOfPixels() <= MOST_VOXELS_IN_3D:
            node.CreateClosedSurfaceRepresentation()


def editableSegmentation(
    case: Case, volume: vtk.vtkObject, labels: sitk.Image, structures: Sequence[Structure]
) -> vtk.vtkObject:
    """Return a new segmentation of a label, for the Segment Editor."""
    return _add(labels, structures, volume, None, _("Label of {case}").format(case=case.id))


def _add(
    labels: sitk.Image,
    structures: Sequence[Structure],
    volume: vtk.vtkObject,
    segmentation: vtk.vtkObject | None,
    name: str,
) -> vtk.vtkObject:
    array = snapshotOfVolume(volume).labelsFromWorld(labels)
    return addSegments(array, structures, volume, segmentation, name)


def _addPresent(
    labels: sitk.Image,
    structures: Sequence[Structure],
    volume: vtk.vtkObject,
    segmentation: vtk.vtkObject | None,
    name: str,
) -> vtk.vtkObject:
    """Add labels without segments that have no voxel, of which no surface can be made."""
    node = _add(labels, structures, volume, segmentation, name)
    present = np.unique(sitk.GetArrayViewFromImage(labels))
    for index, structure in enumerate(structures):
        if index + 1 not in present:
            node.GetSegmentation().RemoveSegment(segmentIdByName(node.GetSegmentation(), structure.name))
    return node


def _markShown(node: vtk.vtkObject) -> None:
    """Mark a node that shows what lies in files, and would outlive the review in a saved scene."""
    markNode(node, NodeRole.REVIEW)
    node.SetSaveWithScene(False)
    for index in range(node.GetNumberOfDisplayNodes()):
        node.GetNthDisplayNode(index).SetSaveWithScene(False)


def _renamed(structure: Structure, pattern: str) -> Structure:
    return dataclasses.replace(structure, name=pattern.format(name=structure.name))


def _style(node: vtk.vtkObject, outlined: set[str]) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    segmentation = node.GetSegmentation()
    for identifier in segmentation.GetSegmentIDs():
        outline = segmentation.GetSegment(identifier).GetName() in outlined
        display.SetSegmentVisibility2DFill(identifier, not outline)
        display.SetSegmentVisibility2DOutline(identifier, outline)
        display.SetSegmentOpacity3D(identifier, 0.4 if outline else 1.0)
