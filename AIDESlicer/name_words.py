"""The words of the names that volumes, segmentations and cases bear."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SEPARATORS = re.compile(r"[\s_.:;,()\[\]-]+")


def words(name: str) -> list[str]:
    """Return the parts of a name in lower case."""
    return [word for word in _SEPARATORS.split(name.casefold()) if word]


def withoutWords(name: str, removed: Sequence[str]) -> str:
    """Return the name without a run of words; unchanged where it does not hold them or is nothing else."""
    pattern = r"[\s_.:;,()\[\]-]+".join(re.escape(word) for word in removed)
    stripped = re.sub(
        rf"(^|[\s_.:;,()\[\]-]+){pattern}($|(?=[\s_.:;,()\[\]-]))", "", name, count=1, flags=re.IGNORECASE
    )
    return stripped.strip(" _.:;,-") or name
