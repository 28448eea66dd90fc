"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What a killed process leaves behind has this at the start of its name.
UNFINISHED = ".unfinished-"
# Windows refuses to replace a file for as long as another program (Slicer that watches, a virus scanner) has it open.
_ATTEMPTS = 60 if os.name == "nt" else 1
_SECONDS_BETWEEN_ATTEMPTS = 0.05


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its ending; what was written there replaces `path` at the end.

    On an exception the temporary file is removed and `path` stays as it was. The folder of `path` is made, but none above
    it: where those are gone, so is the drive that they lie on, and another one must not take its place unnoticed.

    Raises:
        OSError: the disk is full, read-only or gone.
    """
    path.parent.mkdir(exist_ok=True)
    # SimpleITK chooses the format by the ending, which may have two parts (.nii.gz, .seg.nrrd).
    ending = "".join(path.suffixes[-2:])
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED, suffix=ending)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp gives access to the owner alone; a run folder is often shared.
        temporary.chmod(0o666 & ~_umask())
        _replace(temporary, path)
        _synchronize_folder(path.parent)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def require_folder(folder: Path) -> None:
    """Refuse a folder that should be there and is not: where the drive that it lies on is gone, it must not be made anew.

    Raises:
        FileNotFoundError: there is none.
    """
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text_atomically(path: Path, text: str) -> None:
    """Replace a file's content with UTF-8 text."""
    write_bytes_atomically(path, text.encode("utf-8"))


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left unfinished in a folder and below it; nobody else may be writing there."""
    for path in folder.rglob(f"{UNFINISHED}*"):
        with suppress(OSError):
            path.unlink()


def _replace(source: Path, target: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            source.replace(target)
            return
        except PermissionError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def _synchronize_folder(folder: Path) -> None:
    """Make the new name itself survive a power failure, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows
        return
    # Some network drives refuse; the content is safe even so.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
