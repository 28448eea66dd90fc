"""Reloading the module's parts together with its file."""

from __future__ import annotations

import sys

# AIDESlicer and AIDELib stay: the module AIDE Training uses them too, and two copies of a class are two classes.
PACKAGE = "AIDESegmentationLib"


def forgetParts() -> None:
    """Let the next import read the files of the module's own package again."""
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]
