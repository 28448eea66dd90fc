"""Names of cases made fit to be names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from AIDESlicer.unique_name import uniqueName

_UNFIT = re.compile(r"[<>:\"/\\|?*\x00-\x1f]")
_LONGEST_NAME = 110


def fileNames(names: Sequence[str], taken: Iterable[str] = ()) -> list[str]:
    """Return names that can be file names on every system, numbered where two would be the same file on some.

    Args:
        taken: file names, without ending, that are not to be used.
    """
    used = {name.casefold() for name in taken}
    fitting: list[str] = []
    for name in names:
        fitting.append(uniqueName(_UNFIT.sub("-", name)[:_LONGEST_NAME].strip(" .") or "case", used))
        used.add(fitting[-1].casefold())
    return fitting
