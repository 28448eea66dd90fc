"""Reloading the module's parts together with its file."""

from __future__ import annotations

import sys

# AIDELib is reloaded too, so that a change in it shows without a restart of Slicer.
PACKAGES = ("AIDESegmentationLib", "AIDESlicer", "AIDELib")


def forgetParts() -> None:
    """Let the next import read the files of the module's packages again."""
    for name in [name for name in sys.modules if name.split(".")[0] in PACKAGES]:
        del sys.modules[name]
