"""Segments of the scene as structures of a dataset: name, colour and terminology."""

from __future__ import annotations

import slicer
import vtk

from AIDELib.structure import Structure


def structuresOfSegmentation(segmentationNode: slicer.vtkMRMLSegmentationNode) -> list[Structure]:
    """Return one structure per segment, in their order; the label value of the i-th is i + 1."""
    segmentation = segmentationNode.GetSegmentation()
    return [
        structureOfSegment(segmentation.GetSegment(identifier), index + 1)
        for index, identifier in enumerate(segmentation.GetSegmentIDs())
    ]


def structureOfSegment(segment: slicer.vtkSegment, value: int) -> Structure:
    """Return a segment's name, colour and terminology as a structure with a label value.

    Raises:
        DatasetError: the segment has no name.
    """
    red, green, blue = (round(part * 255) for part in segment.GetColor())
    terminology = vtk.reference("")
    found = segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology)
    return Structure(segment.GetName(), (value,), (red, green, blue), terminology.get() if found else "")
