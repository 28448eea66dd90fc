"""Cases found in the scene: volumes paired with segmentations by reference volume, study, and name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import vtk
from slicer.i18n import tr as _

from AIDELib.structure import Structure
from AIDESlicer.name_words import words
from AIDESlicer.patient_nodes import greyVolumes, segmentations
from AIDESlicer.segment_structure import structuresOfSegmentation
from AIDESlicer.study_of_node import SubjectHierarchy
from AIDESlicer.volume_groups import VolumeGroup, groupVolumes
from AIDETrainingLib.case_names import channelEndings, channelInName, patientsOfNames, withoutLabelWords
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import DEFAULT_CHANNEL, CaseTable
from AIDETrainingLib.segment_quality import qualityOf
from AIDETrainingLib.table_structure import withSegments


@dataclass
class Collected:
    """What was done with the nodes of the scene.

    Attributes:
        added: keys of the new rows.
        completed: keys of rows that got a segmentation.
        notes: sentences for the user about nodes that fit nowhere.
    """

    added: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Group(VolumeGroup):
    """The volumes of one case on their way to a row, with their segmentations."""

    segmentations: list[vtk.vtkObject] = field(default_factory=list)


def collectFromScene(table: CaseTable) -> Collected:
    """Add every examination of the scene that the table lacks, and segmentations to rows that have none yet.

    Channels of an empty table are named after the endings of the volumes' names (p1_T1, p1_T2, …). Volumes form a case
    with others of the same study or of the same name but for the channel. A segmentation belongs to the volume it was
    drawn on; without one, to the case of its study; else to the case whose name it bears.
    """
    present = {source.nodeID for row in table.rows for source in row.sources() if source.nodeID}
    volumes = [node for node in greyVolumes() if node.GetID() not in present]
    added = [node for node in segmentations() if node.GetID() not in present]
    if not table.rows and table.channels == [DEFAULT_CHANNEL]:
        endings = channelEndings([volume.GetName() for volume in volumes])
        if endings:
            table.setChannels(endings)
    hierarchy = SubjectHierarchy()
    groups = _groups(volumes, table.channels, hierarchy)
    collected = Collected()
    remaining = _completeRows(table, added, collected)
    _assign(remaining, groups, hierarchy, collected)
    _mergeStructures(table, [node for group in groups for node in group.segmentations[:1]])
    collected.added = table.addRows(_rows(groups, hierarchy, collected)) if groups else []
    return collected


def _groups(volumes: Sequence[vtk.vtkObject], channels: Sequence[str], hierarchy: SubjectHierarchy) -> list[_Group]:
    """Return the cases of volumes; one that names no channel is put into the one gap of its study or else for itself."""
    if len(channels) == 1:
        return [_Group(volume.GetName(), hierarchy.study(volume), [volume]) for volume in volumes]
    found = groupVolumes(volumes, len(channels), lambda name: channelInName(name, channels))
    groups = [_Group(group.name, group.study, group.volumes) for group in found]
    placed = {volume.GetID() for group in groups for volume in group.nodes()}
    for volume in volumes:
        if volume.GetID() not in placed:
            _placeUnnamed(volume, hierarchy, groups, len(channels))
    return groups


def _placeUnnamed(volume: vtk.vtkObject, hierarchy: SubjectHierarchy, groups: list[_Group], channelCount: int) -> None:
    study = hierarchy.study(volume)
    isOfOnePatient = hierarchy.isOfOnePatient(study)
    gaps = [group for group in groups if isOfOnePatient and group.study == study and not group.isComplete]
    if len(gaps) == 1 and gaps[0].volumes.count(None) == 1:
        gaps[0].volumes[gaps[0].volumes.index(None)] = volume
    else:
        groups.append(_Group(volume.GetName(), study, [volume, *[None] * (channelCount - 1)]))


def _completeRows(
    table: CaseTable, segmentations: Sequence[vtk.vtkObject], collected: Collected
) -> list[vtk.vtkObject]:
    """Give rows without a label the segmentations drawn on their volumes, and return the other segmentations."""
    unlabelled = {
        source.nodeID: row.key
        for row in table.rows
        if row.label is None
        for source in row.images
        if source is not None and source.nodeID
    }
    remaining = []
    for node in segmentations:
        key = unlabelled.get(_referenceID(node))
        if key is None or table.row(key).label is not None:
            remaining.append(node)
            continue
        _mergeStructures(table, [node])
        table.updateRows([key], label=Source(nodeID=node.GetID()), quality=qualityOf(node))
        collected.completed.append(key)
    return remaining


def _assign(
    segmentations: Sequence[vtk.vtkObject],
    groups: Sequence[_Group],
    hierarchy: SubjectHierarchy,
    collected: Collected,
) -> None:
    byVolume = {node.GetID(): group for group in groups for node in group.nodes()}
    for segmentation in segmentations:
        group = (
            byVolume.get(_referenceID(segmentation))
            or _groupOfStudy(segmentation, groups, hierarchy)
            or _groupOfName(segmentation.GetName(), groups)
        )
        if group is not None:
            group.segmentations.append(segmentation)
        elif not _referenceID(segmentation):
            collected.notes.append(
                _("The segmentation '{name}' fits no volume; choose it in the row of its case.").format(
                    name=segmentation.GetName()
                )
            )


def _groupOfStudy(node: vtk.vtkObject, groups: Sequence[_Group], hierarchy: SubjectHierarchy) -> _Group | None:
    study = hierarchy.study(node)
    inStudy = [group for group in groups if study and group.study == study]
    return inStudy[0] if len(inStudy) == 1 else _groupOfName(node.GetName(), inStudy)


def _groupOfName(name: str, groups: Sequence[_Group]) -> _Group | None:
    wanted = {tuple(words(name)), tuple(words(withoutLabelWords(name)))}
    for group in groups:
        names = [group.name, *(volume.GetName() for volume in group.nodes())]
        if wanted & {tuple(words(one)) for one in names}:
            return group
    return None


def _referenceID(segmentation: vtk.vtkObject) -> str:
    return segmentation.GetNodeReferenceID(segmentation.GetReferenceImageGeometryReferenceRole()) or ""


def _mergeStructures(table: CaseTable, segmentations: Sequence[vtk.vtkObject]) -> None:
    found: list[Structure] = [structure for node in segmentations for structure in structuresOfSegmentation(node)]
    merged = withSegments(table.structures, found)
    if merged != table.structures:
        table.setStructures(merged)


def _rows(groups: Sequence[_Group], hierarchy: SubjectHierarchy, collected: Collected) -> list[CaseRow]:
    patients = patientsOfNames([group.name for group in groups])
    rows = []
    for group, patient in zip(groups, patients, strict=True):
        label = group.segmentations[0] if group.segmentations else None
        for other in group.segmentations[1:]:
            collected.notes.append(
                _("The case '{case}' has several segmentations; '{used}' is used and '{other}' is not.").format(
                    case=group.name, used=label.GetName(), other=other.GetName()
                )
            )
        named = next((name for name in map(hierarchy.patient, group.nodes()) if name), "")
        row = CaseRow(
            name=group.name,
            images=tuple(None if volume is None else Source(nodeID=volume.GetID()) for volume in group.volumes),
            label=None if label is None else Source(nodeID=label.GetID()),
            patient=named or patient,
        )
        rows.append(row if label is None else row.replace(quality=qualityOf(label)))
    return rows
