"""Screenshots of panels and slice views."""

from __future__ import annotations

from pathlib import Path

import slicer

PANEL_WIDTH = 400


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

    def take_panel(self, name: str) -> None:
        """Save a picture of the whole panel of the present module, with what one would have to scroll to."""
        panel = slicer.util.getModuleWidget(slicer.util.selectedModule()).parent
        panel.resize(PANEL_WIDTH, max(panel.sizeHint.height(), 900))
        self._save(panel, name)

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

    def _save(self, widget, name: str) -> None:
        slicer.app.processEvents()
        if not widget.grab().save(str(self._folder / f"{name}.png")):
            raise OSError(f"{self._folder / name}.png cannot be written")
