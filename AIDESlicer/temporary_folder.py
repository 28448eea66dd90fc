"""Folders for the images of work in progress, removed by a later Slicer where this one could not."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from AIDELib.errors import RunError
from AIDESlicer.process_table import commandOf

_NAME = re.compile(r"AIDE-[a-z]+-(\d+)-")


def temporaryFolder(purpose: str) -> Path:
    """Return a new folder in Slicer's temporary one, which whoever asks for it removes.

    Args:
        purpose: a word of small letters, part of its name.

    Raises:
        RunError: there is no place for temporary files.
    """
    try:
        parent = _parent()
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"AIDE-{purpose}-{os.getpid()}-", dir=parent))
    except OSError as error:
        raise RunError(_("Temporary files cannot be written: {error}. Is the disk full?").format(error=error)) from None


def removeAbandonedFolders(parent: Path) -> None:
    """Remove the temporary folders of Slicers that run no more: patients' images, if one was closed or ended meanwhile.

    Touches no node, so that a thread can do it.

    Args:
        parent: of `temporaryFolder`.
    """
    for folder in parent.glob("AIDE-*"):
        name = _NAME.match(folder.name)
        if name is not None and commandOf(int(name.group(1))) is None:
            shutil.rmtree(folder, ignore_errors=True)


def _parent() -> Path:
    return Path(slicer.app.temporaryPath)
