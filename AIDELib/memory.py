"""How much memory there is, so that what cannot fit is refused instead of tried."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from AIDELib.cgroup_memory import left_of_cgroups


def available_memory() -> int | None:
    """Return the bytes that this process can still take without driving the machine into its swap, and without being ended
    for passing a limit; None if unknown.
    """
    known = (_free_memory(), _left_of_process_limit(), left_of_cgroups())
    limits = [limit for limit in known if limit is not None]
    return min(limits) if limits else None


def describe_bytes(count: int) -> str:
    """Return a size for people: '3.2 GB'."""
    for unit, size in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,} bytes"


def _free_memory() -> int | None:
    if sys.platform == "win32":
        return _free_memory_of_windows()
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    # macOS tells only how much there is in all.
    with suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _free_memory_of_windows() -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes

    class MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "total_page", "free_page", "v", "fv", "fe")),
        )

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    return int(status.free) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _left_of_process_limit() -> int | None:
    """Return what a limit on this process's address space leaves, as clusters and containers set one."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    with suppress(OSError, ValueError, IndexError):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        return max(0, limit - used)
    return None
