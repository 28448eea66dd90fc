"""One process at a time in a folder.

The operating system's own lock on a file decides: it ends with its process, however that ends, so that neither reused
process numbers nor clocks that jump matter. Some network drives do not pass such locks on to other machines; for these
the owner counts up a number in the file, and who finds the file of another machine's process waits and sees whether it
still counts, by its own clock.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType

from AIDELib.errors import RunError
from AIDELib.json_document import DocumentError, parse_json_object

SECONDS_BETWEEN_BEATS = 5.0
# Longer than a beat may take on a slow network drive.
SECONDS_WITHOUT_BEAT = 4 * SECONDS_BETWEEN_BEATS
_SIZE = 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LockOwner:
    """Who works in a folder, or did last.

    Attributes:
        process: its process id.
        host: name of its machine.
        started: when it began, in words, by that machine's clock.
        beat: counted up while it works.
        at_work: whether it has not said that it is done.
    """

    process: int
    host: str
    started: str
    beat: int
    at_work: bool

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.started}"


class Taken(Enum):
    """Whether the operating system gave a lock."""

    YES = "yes"
    BY_ANOTHER = "by another"
    UNKNOWN = "the drive knows no locks"


class FolderLock:
    """Holds a folder while it is entered.

    Args:
        file: the lock's file; it stays when the lock is given back.

    Raises:
        RunError: another process works in the folder (it is named), or the folder cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ended = threading.Event()

    def __enter__(self) -> FolderLock:
        try:
            self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise RunError(f"The folder {self._file.parent} cannot be written: {error.strerror}.") from None
        try:
            self._take()
        except BaseException:
            os.close(self._handle)
            raise
        self._ended.clear()
        self._heart = threading.Thread(target=self._beat, daemon=True, name="folder lock")
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._heart.join()
        # A drive that is gone takes no goodbye; the system's lock ends with the handle.
        with suppress(OSError):
            self._write(at_work=False)
        with suppress(OSError):
            _unlock(self._handle)
        os.close(self._handle)

    def _take(self) -> None:
        before = _owner_in(self._handle)
        taken = self._try()
        if taken is Taken.BY_ANOTHER:
            raise RunError(_occupied(self._file.parent, before))
        if before is not None and before.at_work:
            is_elsewhere = before.host != platform.node() or taken is Taken.UNKNOWN
            if is_elsewhere and self._still_beats(before):
                raise RunError(_occupied(self._file.parent, before))
            _log.warning("%s was left by %s, which has ended without saying so.", self._file.parent, before)
        self._count = 0
        self._started = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            self._write(at_work=True)
        except OSError as error:
            raise RunError(f"The folder {self._file.parent} cannot be written: {error.strerror}.") from None

    def _try(self) -> Taken:
        """Try for a second: who only looks whether the folder is locked holds the lock for a moment."""
        for _ in range(10):
            taken = _lock(self._handle)
            if taken is not Taken.BY_ANOTHER:
                break
            time.sleep(0.1)
        return taken

    def _still_beats(self, before: LockOwner) -> bool:
        end = time.monotonic() + SECONDS_WITHOUT_BEAT
        while time.monotonic() < end:
            time.sleep(SECONDS_BETWEEN_BEATS / 5)
            now = read_lock_owner(self._file)
            if now is not None and now.at_work and now.beat != before.beat:
                return True
        return False

    def _beat(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_BEATS):
            self._count += 1
            with suppress(OSError):
                self._write(at_work=True)

    def _write(self, at_work: bool) -> None:
        entry = {
            "process": os.getpid(),
            "host": platform.node(),
            "started": self._started,
            "beat": self._count,
            "at_work": at_work,
        }
        # Always of one length, so that a reader never meets the end of an older, longer text.
        text = json.dumps(entry).ljust(_SIZE - 1) + "\n"
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, text.encode())
        os.fsync(self._handle)


def read_lock_owner(file: Path) -> LockOwner | None:
    """Return who works or worked in the folder of a lock's file; None where nobody did."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _owner_in(handle)
    finally:
        os.close(handle)


def is_locked(file: Path) -> bool:
    """Return whether a process of this machine holds the lock at this moment."""
    try:
        handle = os.open(file, os.O_RDWR)
    except OSError:
        return False
    try:
        taken = _lock(handle)
        if taken is Taken.YES:
            _unlock(handle)
        return taken is Taken.BY_ANOTHER
    finally:
        os.close(handle)


def _owner_in(handle: int) -> LockOwner | None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        entry = parse_json_object(os.read(handle, _SIZE))
        return LockOwner(
            int(entry["process"]),
            str(entry["host"]),
            str(entry["started"]),
            int(entry["beat"]),
            entry["at_work"] is True,
        )
    except (OSError, DocumentError, KeyError, TypeError, ValueError):
        return None


def _occupied(folder: Path, owner: LockOwner | None) -> str:
    return (
        f"Another process works in {folder} ({owner or 'it has not said which'}). Wait until it is done, ask it to stop, or "
        "choose another folder."
    )


if os.name == "nt":
    import msvcrt

    # Far behind the text: on Windows a locked part of a file cannot be read.
    _LOCKED_BYTE = 2**20

    def _lock(handle: int) -> Taken:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return Taken.BY_ANOTHER
        return Taken.YES

    def _unlock(handle: int) -> None:
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]

else:
    import fcntl

    def _lock(handle: int) -> Taken:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Taken.BY_ANOTHER
        except OSError:
            return Taken.UNKNOWN
        return Taken.YES

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
