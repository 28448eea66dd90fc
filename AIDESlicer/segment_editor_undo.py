"""The Segment Editor's undo, for changes that are not made in it."""

from __future__ import annotations

import slicer


def saveStateForUndo(segmentationNode: slicer.vtkMRMLSegmentationNode) -> bool:
    """Save a segmentation's state, so that Undo of the Segment Editor leads back to it.

    The Segment Editor remembers states of the segmentation that it shows, and of no other. Where it has not been opened
    yet, or shows another one, its choice and its memory stay as they are.

    Returns:
        Whether the state was saved.
    """
    # There are no modules where scripts use Slicer's nodes without the application.
    widget = getattr(getattr(slicer, "modules", None), "SegmentEditorWidget", None)
    editor = getattr(widget, "editor", None)
    if editor is None or editor.segmentationNode() is not segmentationNode:
        return False
    editor.saveStateForUndo()
    return True
