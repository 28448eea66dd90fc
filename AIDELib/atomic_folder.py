"""New folders that appear only when they are complete."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from AIDELib.atomic_file import UNFINISHED


@contextmanager
def creating_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it becomes `path` at the end, and is removed after an exception.

    Raises:
        OSError: the folder cannot be written; FileExistsError: something is there already. An empty folder is replaced.
    """
    _require_free(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=UNFINISHED))
    try:
        yield temporary
        # mkdtemp gives access to the owner alone.
        temporary.chmod(0o755)
        with suppress(FileNotFoundError):
            path.rmdir()
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _require_free(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if any(path.iterdir()):
            raise FileExistsError(errno.EEXIST, "it exists already and is not empty; name a new folder", str(path))
    elif path.exists() or path.is_symlink():
        raise FileExistsError(errno.EEXIST, "it exists already; name a new folder", str(path))
