"""Patients brought into the scene as a person has them there: volumes of a study, some with a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
import slicer

from AIDELib.case import Case, LabelQuality
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from AIDELib.prediction_files import write_labels


@dataclass(frozen=True)
class LoadedPatient:
    """A case in the scene.

    Attributes:
        case: the case.
        volumes: one node per channel.
        segmentation: its label as a segmentation node, None for unlabelled cases.
    """

    case: Case
    volumes: tuple[slicer.vtkMRMLScalarVolumeNode, ...]
    segmentation: slicer.vtkMRMLSegmentationNode | None


def load_patient(case: Case, dataset: Dataset, folder: Path) -> LoadedPatient:
    """Load a case into the scene, below a patient and a study of the subject hierarchy.

    Args:
        folder: for files that Slicer can load, whatever the case's own files are.
    """
    read = read_case(case, dataset)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), case.patient)
    study = hierarchy.CreateStudyItem(patient, case.id)
    volumes = []
    for name, image in zip(dataset.channels, read.channels, strict=True):
        file = folder / f"{case.id}_{name.replace(' ', '-')}.nrrd"
        folder.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(file))
        volumes.append(slicer.util.loadVolume(str(file), {"name": f"{case.id}_{name}"}))
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volumes[-1]), study)
    segmentation = None
    if read.label is not None:
        file = folder / f"{case.id}.seg.nrrd"
        write_labels(read.label, dataset.structures, file)
        segmentation = slicer.util.loadSegmentation(str(file), {"name": f"{case.id} label"})
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volumes[0])
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(segmentation), study)
        _mark(segmentation, case.quality)
        # The labels of all patients would lie one upon another.
        segmentation.GetDisplayNode().SetVisibility(False)
    return LoadedPatient(case, tuple(volumes), segmentation)


def _mark(segmentation: slicer.vtkMRMLSegmentationNode, quality: LabelQuality) -> None:
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    status = logic.Completed if quality is LabelQuality.HQA else logic.Flagged
    segments = segmentation.GetSegmentation()
    for index in range(segments.GetNumberOfSegments()):
        logic.SetSegmentStatus(segments.GetNthSegment(index), status)
