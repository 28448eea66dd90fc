"""One volume selector per channel of the chosen model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
import slicer
from slicer import vtkMRMLScalarVolumeNode
from slicer.i18n import tr as _

from AIDESegmentationLib.channel_matching import channelInName, likeliestVolume
from AIDESlicer.patient_nodes import greyVolumes
from AIDESlicer.volume_groups import groupVolumes


class ChannelSelectors:
    """Rows of a form, rebuilt for each model.

    Args:
        form: the QFormLayout that holds the rows, above those that it has already.
        onChanged: called when the user or a closing scene changed a choice.
    """

    def __init__(self, form: Any, onChanged: Callable[[], None]) -> None:
        self._form = form
        self._onChanged = onChanged
        self._selectors: list[Any] = []
        self._labels: list[Any] = []
        self._channels: tuple[str, ...] = ()

    @property
    def volumes(self) -> list[vtkMRMLScalarVolumeNode | None]:
        """The chosen volume of each channel."""
        return [selector.currentNode() for selector in self._selectors]

    @property
    def widgets(self) -> Sequence[Any]:
        """The selectors, in the order of the channels."""
        return tuple(self._selectors)

    def show(self, channels: Sequence[str], volumes: Sequence[vtkMRMLScalarVolumeNode | None]) -> None:
        """Show selectors for channels with these volumes; where none is given, those whose names fit are proposed."""
        if tuple(channels) != self._channels:
            self._rebuild(channels)
        given = list(volumes)[: len(channels)] + [None] * (len(channels) - len(volumes))
        if not any(given):
            given = proposedVolumes(channels)
        for selector, volume in zip(self._selectors, given, strict=True):
            wasBlocked = selector.blockSignals(True)
            selector.setCurrentNode(volume)
            selector.blockSignals(wasBlocked)

    def _rebuild(self, channels: Sequence[str]) -> None:
        for widget in (*self._selectors, *self._labels):
            self._form.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._selectors, self._labels, self._channels = [], [], tuple(channels)
        for row, channel in enumerate(channels):
            label = qt.QLabel(f"{channel}:")
            selector = self._selector(channel)
            self._form.insertRow(row, label, selector)
            self._labels.append(label)
            self._selectors.append(selector)

    def _selector(self, channel: str) -> Any:
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        # A labelmap is no image, a colour image no grey one.
        selector.showChildNodeTypes = False
        selector.noneEnabled = True
        selector.noneDisplay = _("Choose a volume")
        selector.addEnabled = False
        selector.removeEnabled = False
        selector.renameEnabled = True
        selector.toolTip = _(
            "The volume that shows {channel}. The first one decides on the voxels of the result."
        ).format(channel=channel)
        selector.setMRMLScene(slicer.mrmlScene)
        selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: self._onChanged())
        return selector


def proposedVolumes(channels: Sequence[str]) -> list[vtkMRMLScalarVolumeNode | None]:
    """Return for each channel the volume of the scene whose name fits it; None where none does.

    Several channels are those of one examination; where none has them all and it is not the only one, none is proposed.
    """
    volumes = greyVolumes()
    if len(channels) == 1:
        index = likeliestVolume(channels[0], [volume.GetName() for volume in volumes])
        return [None if index is None else volumes[index]]
    groups = groupVolumes(volumes, len(channels), lambda name: channelInName(name, channels))
    proposed = [group for group in groups if group.isComplete] or (groups if len(groups) == 1 else [])
    return list(proposed[0].volumes) if proposed else [None] * len(channels)
