"""Which volume is most likely which channel, judged by names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

# Below this a name says nothing about the channel.
LEAST_SIMILARITY = 0.5


def matchVolumes(channels: Sequence[str], volumeNames: Sequence[str]) -> list[int | None]:
    """Return for each channel the index of the volume whose name fits it best; no volume is taken twice.

    A name that contains the channel's words fits best, then one that is written alike. Where there is one channel and one
    volume, that is taken whatever its name; None for a channel that nothing fits.
    """
    if len(channels) == 1 and len(volumeNames) == 1:
        return [0]
    pairs = sorted(
        (
            (-nameSimilarity(channel, name), channelIndex, volumeIndex)
            for channelIndex, channel in enumerate(channels)
            for volumeIndex, name in enumerate(volumeNames)
        ),
    )
    matched: list[int | None] = [None] * len(channels)
    for negative, channelIndex, volumeIndex in pairs:
        if -negative < LEAST_SIMILARITY:
            break
        if matched[channelIndex] is None and volumeIndex not in matched:
            matched[channelIndex] = volumeIndex
    return matched


def nameSimilarity(channel: str, volumeName: str) -> float:
    """Return how likely a volume's name means a channel, 0 to 1."""
    wanted, present = _words(channel), _words(volumeName)
    if not wanted or not present:
        return 0.0
    if all(word in present for word in wanted):
        # The shorter of two names with all the words says less besides.
        return 0.9 + 0.1 * len(wanted) / len(present)
    joined, name = "".join(wanted), "".join(present)
    if joined in name:
        return 0.7 + 0.1 * len(joined) / len(name)
    return 0.69 * SequenceMatcher(None, joined, name).ratio()


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case: at separators, and at a capital after a small letter."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^0-9a-z]+", spaced.lower()) if word]
