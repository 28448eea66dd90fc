"""The volumes of a scene grouped by examination, so that no model gets the images of two patients at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import slicer

from AIDESlicer.name_words import words
from AIDESlicer.study_of_node import SubjectHierarchy

# From the name of a volume to the index of its channel and the name without the channel's words ("" where it is nothing
# else); None for a name that names no channel.
ChannelInName = Callable[[str], tuple[int, str] | None]


@dataclass
class VolumeGroup:
    """The volumes of one examination.

    Attributes:
        name: that of the volumes but for the channel.
        study: item of the study, or else of the folder, in the subject hierarchy; 0 for none.
        volumes: one per channel; None for one that was not found.
    """

    name: str
    study: int
    volumes: list[slicer.vtkMRMLScalarVolumeNode | None]

    @property
    def isComplete(self) -> bool:
        """Whether there is a volume for each channel."""
        return None not in self.volumes

    def nodes(self) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """Return the volumes that were found."""
        return [volume for volume in self.volumes if volume is not None]


def groupVolumes(
    volumes: Sequence[slicer.vtkMRMLScalarVolumeNode], channelCount: int, channelInName: ChannelInName
) -> list[VolumeGroup]:
    """Return groups of volumes of the same study, or of the same name but for the channel where there is no study.

    A study with two volumes of one channel holds several examinations, told apart by their names, and so may a plain
    folder. Volumes whose names name no channel are left out.
    """
    hierarchy = SubjectHierarchy()
    named = [
        (volume, hierarchy.study(volume), *found)
        for volume in volumes
        if (found := channelInName(volume.GetName())) is not None
    ]
    counts = Counter((study, channel) for _volume, study, channel, _stem in named)
    crowded = {study for (study, _channel), count in counts.items() if count > 1}
    groups: dict[tuple[int, str], VolumeGroup] = {}
    for volume, study, channel, stem in named:
        gaps = [None] * channelCount
        name = stem or volume.GetName()
        isOneExamination = hierarchy.isOfOnePatient(study) and study not in crowded
        key = (study, "" if isOneExamination else " ".join(words(stem)))
        group = groups.setdefault(key, VolumeGroup(name, study, list(gaps)))
        if group.volumes[channel] is not None:
            group = groups[(study, volume.GetID())] = VolumeGroup(name, study, list(gaps))
        group.volumes[channel] = volume
    return list(groups.values())
