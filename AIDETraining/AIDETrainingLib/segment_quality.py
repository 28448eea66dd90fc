"""What the status of segments says about the worth of a label."""

from __future__ import annotations

import slicer
import vtk

from AIDELib.case import LabelQuality


def qualityOf(segmentationNode: vtk.vtkObject) -> LabelQuality:
    """Return the quality that the segments' status tells.

    Flagged means that something is wrong with it: LQA. Completed means that it was checked: HQA; so do segments without
    a status, as most segmentations are loaded without one and were drawn by people who trust them. No segment:
    unlabelled.
    """
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    segmentation = segmentationNode.GetSegmentation()
    statuses = [
        logic.GetSegmentStatus(segmentation.GetNthSegment(index)) for index in range(segmentation.GetNumberOfSegments())
    ]
    if not statuses:
        return LabelQuality.UNLABELLED
    return LabelQuality.LQA if logic.Flagged in statuses else LabelQuality.HQA
