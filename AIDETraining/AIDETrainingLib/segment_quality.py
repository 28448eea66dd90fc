"""What the status of segments says about the worth of a label."""

from __future__ import annotations

import slicer
import vtk

from AIDELib.case import LabelQuality
from AIDESlicer.own_nodes import isComputed


def qualityOf(segmentationNode: vtk.vtkObject) -> LabelQuality:
    """Return the quality that the segments' status tells.

    Flagged means that something is wrong with it: LQA. Completed means that it was checked: HQA; so do other segments
    that a person drew, as most segmentations are loaded without a status and were drawn by people who trust them. What
    a model drew is LQA until it is completed. No segment: unlabelled.
    """
    segmentation = segmentationNode.GetSegmentation()
    segments = [segmentation.GetNthSegment(index) for index in range(segmentation.GetNumberOfSegments())]
    if not segments:
        return LabelQuality.UNLABELLED
    return LabelQuality.LQA if any(map(_isDoubtful, segments)) else LabelQuality.HQA


def _isDoubtful(segment: vtk.vtkObject) -> bool:
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    status = logic.GetSegmentStatus(segment)
    return status == logic.Flagged or (isComputed(segment) and status != logic.Completed)
