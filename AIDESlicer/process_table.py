"""The system's table of processes, on Linux, macOS and Windows, with what Python itself brings."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path


def commandOf(pid: int) -> str | None:
    """Return the command line of a running process (on Windows its program file); None where none runs by that number."""
    if os.name == "nt":
        return _windowsProgram(pid)
    if Path("/proc/self/cmdline").exists():
        try:
            # Empty for a process that has ended and is still listed.
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return None
        return command or None
    listed = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return listed if listed and not listed.startswith("Z") else None


def endTree(pid: int, force: bool) -> None:
    """Ask a process that leads its own group, and all it started, to end; by force where `force`.

    Windows knows no way to ask a process without a window, so that it is ended by force there.
    """
    if os.name == "nt":
        subprocess.run(
            ["taskkill", "/PID", str(pid), "/T", "/F"],
            capture_output=True,
            check=False,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        group = os.getpgid(pid)
        # A process that leads no group of its own shares one with others, in the end with Slicer.
        if group == os.getpgid(0):
            os.kill(pid, signal.SIGKILL if force else signal.SIGTERM)
        else:
            os.killpg(group, signal.SIGKILL if force else signal.SIGTERM)


def _windowsProgram(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    query, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(query, False, pid)
    if not handle:
        return None
    try:
        code = wintypes.DWORD()
        if not kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code)) or code.value != still_active:
            return None
        length = wintypes.DWORD(32768)
        name = ctypes.create_unicode_buffer(length.value)
        if not kernel.QueryFullProcessImageNameW(wintypes.HANDLE(handle), 0, name, ctypes.byref(length)):
            return None
        return name.value
    finally:
        kernel.CloseHandle(wintypes.HANDLE(handle))
