"""Which volume is most likely which channel, judged by names."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from difflib import SequenceMatcher

# Below this a name says nothing about the channel.
LEAST_SIMILARITY = 0.5
# Letters and digits, up to a capital after a small letter.
_WORD = re.compile(r"(?:(?![a-z][A-Z])[^\W_])*[^\W_]")
_SEPARATORS = " _.:;,-"


def likeliestVolume(channel: str, volumeNames: Sequence[str]) -> int | None:
    """Return the index of the volume whose name fits a channel best; None where none does.

    A name that contains the channel's words fits best, then one that is written alike. A single volume is taken
    whatever its name.
    """
    if len(volumeNames) == 1:
        return 0
    likenesses = [nameSimilarity(channel, name) for name in volumeNames]
    best = max(likenesses, default=0.0)
    return likenesses.index(best) if best >= LEAST_SIMILARITY else None


def channelInName(name: str, channels: Sequence[str]) -> tuple[int, str] | None:
    """Return the index of the channel that a volume's name means, and the name without it; None where it means none.

    The channels are those of a model that was trained elsewhere, so that the name need not contain their very words.
    """
    found = list(_WORD.finditer(name))
    best = (LEAST_SIMILARITY, 0, 0, 0, 0)
    for index, channel in enumerate(channels):
        for first in range(len(found)):
            for last in range(first, len(found)):
                run = name[found[first].start() : found[last].end()]
                # Of two channels that stand in the name, the longer one is meant: T1 CE, not T1.
                best = max(best, (nameSimilarity(channel, run), len(channel), -index, -first, -last))
    _similarity, length, index, first, last = best
    if not length:
        return None
    before = name[: found[-first].start()].rstrip(_SEPARATORS + "([")
    after = name[found[-last].end() :].lstrip(_SEPARATORS + ")]")
    return -index, " ".join(part.strip(_SEPARATORS) for part in (before, after) if part)


@functools.lru_cache(maxsize=10_000)
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
    """Return the words of a name in lower case."""
    return [word.casefold() for word in _WORD.findall(name)]
