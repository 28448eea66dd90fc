"""Durations in words."""

from __future__ import annotations

from slicer.i18n import tr as _


def durationText(seconds: float) -> str:
    """Return a rough duration, such as "20 s", "3 min" or "2 h 10 min"."""
    if seconds < 90:
        return _("{count} s").format(count=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("{count} min").format(count=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
