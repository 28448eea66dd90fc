"""What the limits of a container or of a cluster's job leave of the memory: those of Linux's control groups.

The files: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory and .../cgroup-v1/memory.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# Version 1 writes "unlimited" as the largest multiple of a page.
_UNLIMITED = 2**60


@dataclass(frozen=True)
class _Version:
    """Where a version of the control groups has its numbers.

    Attributes:
        mounts: folders that the tree of groups may stand in, below that of all control groups.
        limit, usage: files with bytes.
        idle_files: name, in the file memory.stat, of what usage counts of files that nobody reads, and that make room.
    """

    mounts: tuple[str, ...]
    limit: str
    usage: str
    idle_files: str


_FIRST = _Version(("memory",), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_SECOND = _Version((".", "unified"), "memory.max", "memory.current", "inactive_file")


def left_of_cgroups(process: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that the tightest control group around a process leaves it; None without a limit.

    Args:
        process: the process's folder in /proc.
        groups: where the control groups are mounted.
    """
    left = [
        bytes_left
        for version, path in _groups_of(process)
        for mount in version.mounts
        for folder in _up_to(groups / mount, path)
        if (bytes_left := _left(folder, version)) is not None
    ]
    return min(left) if left else None


def _groups_of(process: Path) -> Iterator[tuple[_Version, str]]:
    """Yield the groups with a limit of memory that a process is in, as lines 'NUMBER:CONTROLLERS:PATH' name them."""
    with suppress(OSError, UnicodeDecodeError):
        for line in (process / "cgroup").read_text().splitlines():
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if number == "0" and not controllers:
                yield _SECOND, path
            elif "memory" in controllers.split(","):
                yield _FIRST, path


def _up_to(root: Path, path: str) -> list[Path]:
    """Return the folder of a group and those of the groups around it; in a container the root may be all that is seen."""
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    return [root.joinpath(*parts[:count]) for count in range(len(parts) + 1)]


def _left(group: Path, version: _Version) -> int | None:
    with suppress(OSError, ValueError):
        # "max" is no number.
        limit = int((group / version.limit).read_text())
        if limit < _UNLIMITED:
            return max(0, limit - int((group / version.usage).read_text()) + _idle_files(group, version))
    return None


def _idle_files(group: Path, version: _Version) -> int:
    with suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == version.idle_files:
                return int(count)
    return 0
