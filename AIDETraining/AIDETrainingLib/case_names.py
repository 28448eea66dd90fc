"""What names of volumes, segmentations and cases say: channel, patient, and which belong together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from AIDESlicer.name_words import withoutWords, words

_LABEL_WORDS = {"label", "labels", "seg", "segmentation", "segmentations", "mask", "masks", "labelmap", "gt"}
# What a name says about the examination rather than about the patient, where it stands at the end.
_EXAMINATION = re.compile(
    r"(.+?)[\s_.-]+((frame|phase|scan|visit|session|ses|timepoint|tp|time|month|week|series|acq|run)[\s_-]?\d+"
    r"|ed|es|pre|post|baseline|follow-?up\d*|left|right|l|r|t1\w*|t2\w*|flair|pd|dwi|adc|ct|mr|mri|pet|us)",
    re.IGNORECASE,
)


def withoutLabelWords(name: str) -> str:
    """Return the name of a segmentation without words such as 'segmentation' or 'label'."""
    for word in _LABEL_WORDS & set(words(name)):
        name = withoutWords(name, [word])
    return name


def matchingChannel(name: str, channels: Sequence[str]) -> int | None:
    """Return the index of the channel whose name stands in the name of a volume; the longest such; None for none."""
    own = words(name)
    matches = [
        (len(channelWords), -index)
        for index, channelWords in enumerate(words(channel) for channel in channels)
        if channelWords and _containsRun(own, channelWords)
    ]
    return -max(matches)[1] if matches else None


def channelInName(name: str, channels: Sequence[str]) -> tuple[int, str] | None:
    """Return the index of the channel in the name of a volume, and the name without it; None where it names none."""
    index = matchingChannel(name, channels)
    if index is None:
        return None
    channelWords = words(channels[index])
    return index, "" if words(name) == channelWords else withoutWords(name, channelWords)


def patientOfName(name: str) -> str:
    """Return what of a case's name is likely the patient: the name without endings such as _frame01, _T1 or _post."""
    while match := _EXAMINATION.fullmatch(name):
        name = match[1]
    return name


def patientsOfNames(names: Sequence[str]) -> list[str]:
    """Return the likely patient of each case.

    Names that would all be of one patient rather differ in something else than the examination: they count as patients.
    """
    patients = [patientOfName(name) for name in names]
    return list(names) if len(names) > 2 and len(set(patients)) == 1 else patients


def channelEndings(names: Sequence[str]) -> list[str]:
    """Return the endings by which names fall into like groups, such as T1 and T2 of p1_T1, p1_T2, p2_T1, p2_T2.

    Empty where the names show no channels. Numbers are endings only in the form 0000, 0001 …
    """
    for separator in ("_", " ", "-"):
        stems: dict[str, list[str]] = defaultdict(list)
        for name in names:
            stem, found, ending = name.rpartition(separator)
            if found and stem and (not ending.isdigit() or re.fullmatch(r"000\d", ending)):
                stems[ending].append(stem)
        shared = {ending: set(owners) for ending, owners in stems.items() if len(owners) > 1}
        common = set.intersection(*shared.values()) if len(shared) > 1 else set()
        everyStem = set().union(*shared.values()) if shared else set()
        if len(common) >= 2 and 2 * len(common) >= len(everyStem):
            return list(shared)
    return []


def _containsRun(own: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(list(own[start : start + len(wanted)]) == list(wanted) for start in range(len(own) - len(wanted) + 1))
