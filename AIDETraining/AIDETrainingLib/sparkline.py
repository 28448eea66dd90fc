"""A small picture of a series of numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import qt

WIDTH, HEIGHT = 64, 18
_MARGIN = 2


def points(values: Sequence[float], width: int = WIDTH, height: int = HEIGHT) -> list[tuple[float, float]]:
    """Return where the values lie in a picture, in pixels from its upper left corner; 1 is at the top, 0 at the bottom."""
    inner = width - 2 * _MARGIN, height - 2 * _MARGIN
    steps = max(1, len(values) - 1)
    return [
        (_MARGIN + inner[0] * index / steps, _MARGIN + inner[1] * (1 - min(1.0, max(0.0, value))))
        for index, value in enumerate(values)
    ]


def sparkline(values: Sequence[float], color: str) -> qt.QPixmap:
    """Return the values as a line with a dot at its end.

    Args:
        values: 0 to 1, from left to right.
        color: name of the colour, such as "#0072B2".
    """
    pixmap = qt.QPixmap(WIDTH, HEIGHT)
    pixmap.fill(qt.QColor(0, 0, 0, 0))
    places = points(values)
    if not places:
        return pixmap
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.setPen(qt.QPen(qt.QColor(color)))
    for start, end in pairwise(places):
        painter.drawLine(qt.QPointF(*start), qt.QPointF(*end))
    painter.setBrush(qt.QBrush(qt.QColor(color)))
    painter.drawEllipse(qt.QPointF(*places[-1]), 1.5, 1.5)
    painter.end()
    return pixmap
