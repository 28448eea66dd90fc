"""Sources of the case table looked up in the scene and on the disk."""

from __future__ import annotations

from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _

from AIDELib.volume import split_channel
from AIDETrainingLib.case_row import Source


def sourceNode(source: Source) -> vtk.vtkObject | None:
    """Return the node of a source, None for a file or a node that is gone."""
    return slicer.mrmlScene.GetNodeByID(source.nodeID) if source.nodeID else None


def sourceName(source: Source | None) -> str:
    """Return the name to show for a source."""
    if source is None:
        return ""
    if source.path:
        return Path(source.path).name
    node = sourceNode(source)
    return node.GetName() if node is not None else _("(removed)")


def sourceProblem(source: Source) -> str | None:
    """Return what is wrong with a source in a few words, None where nothing is."""
    if source.path:
        file, _channel = split_channel(Path(source.path))
        return None if file.exists() else _("the file {name} is not there").format(name=file.name)
    node = sourceNode(source)
    if node is None:
        return _("it was removed from the scene")
    if node.IsA("vtkMRMLSegmentationNode"):
        segmentation = node.GetSegmentation()
        return None if segmentation.GetNumberOfSegments() else _("it has no segments")
    return None if node.GetImageData() is not None else _("the volume has no image data")
