"""A folder that is filled completely or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slicer.i18n import tr as _

from AIDELib.errors import RunError


@contextmanager
def newFolder(folder: Path) -> Iterator[None]:
    """Require a folder that is missing or empty, and leave it so where the work meanwhile fails or is closed.

    Raises:
        RunError: the folder holds files already, or cannot be looked into.
    """
    _requireEmpty(folder)
    existed = folder.exists()
    try:
        yield
    except BaseException:
        _clear(folder)
        if not existed:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _requireEmpty(folder: Path) -> None:
    try:
        used = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise RunError(
            _("The folder {folder} cannot be used: {reason}.").format(folder=folder, reason=error.strerror)
        ) from None
    if used:
        raise RunError(
            _("The folder {folder} holds files already. Choose a new or empty folder for the run.").format(
                folder=folder
            )
        )


def _clear(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
