"""What the arms of an experiment are compared by."""

from __future__ import annotations

from enum import Enum


class Score(Enum):
    """A figure of each test case, from 0 to 1, larger is better; the value is its name for the reader."""

    DSC = "DSC"
    QUBIQ = "QUBIQ score"
