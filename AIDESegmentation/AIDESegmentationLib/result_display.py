"""New segmentations in the slice views: each over its own image, none over the image of another patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer


class ResultDisplay:
    """Shows and hides what this panel has segmented; the user's own segmentations are left as they are."""

    def __init__(self) -> None:
        self._imagesOf: dict[str, set[str]] = {}

    def showWithImage(self, segmentation: Any, images: Sequence[Any]) -> None:
        """Show a segmentation that was asked for by itself, and its image where none of its images is on the screen.

        Args:
            images: the volume nodes that it was made from, its own first; for files, the volume that it refers to counts.
        """
        nodes = self._remember(segmentation, images)
        if not {node.GetID() for node in nodes} & _imagesOnScreen():
            slicer.util.setSliceViewerLayers(background=nodes[0], foreground=None, label=None, fit=True)
        segmentation.GetDisplayNode().SetVisibility(True)
        self._hideOverOtherImages()

    def showIfImageIsShown(self, segmentation: Any, images: Sequence[Any]) -> None:
        """Hide a segmentation, one of several, unless its image is on the screen; the first one gets an empty screen.

        Args:
            images: as above.
        """
        if not _imagesOnScreen():
            self.showWithImage(segmentation, images)
            return
        self._remember(segmentation, images)
        self._hideOverOtherImages()

    def forget(self) -> None:
        """Leave all segmentations as they are from now on; another scene may have others by the same IDs."""
        self._imagesOf = {}

    def _remember(self, segmentation: Any, images: Sequence[Any]) -> list[Any]:
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        candidates = [*images, segmentation.GetNodeReference(role)]
        nodes = [node for node in candidates if isinstance(node, slicer.vtkMRMLVolumeNode)]
        self._imagesOf[segmentation.GetID()] = {node.GetID() for node in nodes}
        return nodes

    def _hideOverOtherImages(self) -> None:
        onScreen = _imagesOnScreen()
        for identifier, images in self._imagesOf.items():
            segmentation = slicer.mrmlScene.GetNodeByID(identifier)
            if segmentation is not None and not images & onScreen:
                segmentation.GetDisplayNode().SetVisibility(False)


def isHidden(segmentation: Any) -> bool:
    """Return whether a segmentation is in the scene and not shown."""
    return segmentation is not None and not segmentation.GetDisplayNode().GetVisibility()


def _imagesOnScreen() -> set[str]:
    layers = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    shown = {identifier for one in layers for identifier in (one.GetBackgroundVolumeID(), one.GetForegroundVolumeID())}
    return {identifier for identifier in shown if identifier}
