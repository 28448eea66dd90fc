"""Screenshots of panels and slice views."""

from __future__ import annotations

import time
from pathlib import Path

import slicer

SECTIONS = ("Dataset", "Training", "Review", "Results")
# Labels for the review are read in the background.
SETTLING_SECONDS = 3.0


class Photographer:
    """Saves what a person would see.

    Args:
        folder: for the PNG files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def take_main_window(self, name: str) -> None:
        """Save a picture of the whole window."""
        window = slicer.util.mainWindow()
        window.resize(1400, 900)
        self._save(window, name)

    def take_training_section(self, section: str, name: str) -> None:
        """Save a picture of the whole window with one section of AIDE Training unfolded.

        Args:
            section: "Dataset", "Training", "Review" or "Results".
        """
        slicer.util.selectModule("AIDETraining")
        panel = slicer.util.getModuleWidget("AIDETraining").panel
        for other in SECTIONS:
            button = getattr(panel.widgets(f"{other}Section"), f"{other.lower()}CollapsibleButton")
            button.collapsed = other != section
        self._let_it_settle()
        if section == "Training":
            panel.widgets("TrainingSection").plotDiceButton.click()
        else:
            slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        if section == "Review":
            panel.review.select(slicer.util.getModuleLogic("AIDETraining").reviewCases()[0].case)
        self._let_it_settle()
        self.take_main_window(name)

    def take_slices(self, name: str, volume: slicer.vtkMRMLScalarVolumeNode, segmentation) -> None:
        """Save a picture of the slice views with a volume and the segments on it."""
        for other in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            other.GetDisplayNode().SetVisibility(other is segmentation)
        slicer.util.setSliceViewerLayers(background=volume, fit=True)
        segmentation.CreateClosedSurfaceRepresentation()
        slicer.util.resetThreeDViews()
        centre = segmentation.GetSegmentCenterRAS(segmentation.GetSegmentation().GetNthSegmentID(0))
        if centre is not None:
            slicer.modules.markups.logic().JumpSlicesToLocation(*centre, False)
        self._save(slicer.app.layoutManager().viewport(), name)

    def _let_it_settle(self) -> None:
        end = time.monotonic() + SETTLING_SECONDS
        while time.monotonic() < end:
            slicer.app.processEvents()
            time.sleep(0.02)

    def _save(self, widget, name: str) -> None:
        slicer.app.processEvents()
        if not widget.grab().save(str(self._folder / f"{name}.png")):
            raise OSError(f"{self._folder / name}.png cannot be written")
