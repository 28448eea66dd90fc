"""A drop-down list to choose a volume or segmentation of the scene, or a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from AIDETrainingLib.case_row import Source
from AIDETrainingLib.scene_sources import sourceName

_NONE, _BROWSE = "none", "browse"
_FILE_FILTER = "*.nii.gz *.nii *.nrrd *.nhdr *.mha *.mhd *.tif *.tiff *.png"


class SourceSelector:
    """Fills a QComboBox and tells what the user chose.

    Args:
        widget: the QComboBox.
        nodes: returns the nodes that can be chosen.
        onChosen: called with the source that the user chose, None for none.
    """

    def __init__(
        self,
        widget: qt.QComboBox,
        nodes: Callable[[], Sequence[vtk.vtkObject]],
        onChosen: Callable[[Source | None], None],
    ) -> None:
        self._widget = widget
        self._nodes = nodes
        self._onChosen = onChosen
        self._sources: list[Source | str] = []
        self._shown: Source | None = None
        widget.connect("activated(int)", self._activated)

    def show(self, source: Source | None) -> None:
        """Offer the nodes of the scene and files, with `source` chosen."""
        self._shown = source
        nodes = self._nodes()
        self._sources = [_NONE, *(Source(nodeID=node.GetID()) for node in nodes), _BROWSE]
        names = [_("(none)"), *(node.GetName() for node in nodes), _("File…")]
        if source is not None and source not in self._sources:
            self._sources.insert(1, source)
            names.insert(1, sourceName(source))
        self._widget.clear()
        self._widget.addItems(names)
        self._widget.setCurrentIndex(0 if source is None else self._sources.index(source))

    def _activated(self, index: int) -> None:
        chosen = self._sources[index]
        if chosen == _BROWSE:
            title = _("Choose a file")
            path = qt.QFileDialog.getOpenFileName(
                slicer.util.mainWindow(), title, "", _("Images and labels ({endings})").format(endings=_FILE_FILTER)
            )
            if not path:
                self.show(self._shown)
                return
            chosen = Source(path=str(path))
        self._onChosen(None if isinstance(chosen, str) else chosen)
