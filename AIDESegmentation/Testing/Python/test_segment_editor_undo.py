"""Undo in the Segment Editor leads back to the segments before a prediction replaced them."""

from __future__ import annotations

import module_fixture
import numpy as np
import slicer
from tiny_model import LIVER

from AIDESlicer.segment_editor_undo import saveStateForUndo
from AIDESlicer.segment_import import addSegments


class UndoTest(module_fixture.ModuleTestCase):
    """With the segmentation shown in the Segment Editor, and without."""

    def test_undo_brings_the_replaced_segment_back(self):
        volume = self.addVolume("T1", size=(12, 12, 6))
        before = np.zeros((6, 12, 12), np.uint8)
        before[2:4, 2:6, 2:6] = 1
        segmentation = addSegments(before, [LIVER], volume)
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.SegmentEditorWidget.editor
        editor.setSegmentationNode(segmentation)
        addSegments(np.roll(before, 3, axis=2), [LIVER], volume, segmentation)
        np.testing.assert_array_equal(self.segmentVoxels(segmentation, "liver", volume), np.roll(before, 3, axis=2) > 0)
        editor.undo()
        np.testing.assert_array_equal(self.segmentVoxels(segmentation, "liver", volume), before > 0)
        slicer.util.selectModule("AIDESegmentation")

    def test_an_editor_that_shows_another_segmentation_is_left_alone(self):
        volume = self.addVolume("T1", size=(12, 12, 6))
        labels = np.ones((6, 12, 12), np.uint8)
        shown, other = addSegments(labels, [LIVER], volume), addSegments(labels, [LIVER], volume)
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.SegmentEditorWidget.editor
        editor.setSegmentationNode(shown)
        self.assertFalse(saveStateForUndo(other))
        self.assertTrue(saveStateForUndo(shown))
        self.assertIs(editor.segmentationNode(), shown)
        slicer.util.selectModule("AIDESegmentation")
