"""What is wrong with a row of the case table, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable

SourceProblem = Callable[[Source], str | None]


class Severity(Enum):
    """Whether a row can be used."""

    READY = 0
    NOTE = 1
    PROBLEM = 2


@dataclass(frozen=True)
class CaseStatus:
    """The status cell of a row.

    Attributes:
        severity: a PROBLEM keeps the training from starting, a NOTE does not.
        text: a few words for the user.
    """

    severity: Severity
    text: str


def caseStatus(row: CaseRow, table: CaseTable, problemOf: SourceProblem) -> CaseStatus:
    """Return the status of a row; the gravest fault first.

    Args:
        problemOf: what is wrong with a source, None where nothing is.
    """
    for channel, image in zip(table.channels, row.images, strict=True):
        if image is None:
            return _problem(_("No volume for channel {channel}").format(channel=channel))
        problem = problemOf(image)
        if problem:
            return _problem(f"{channel}: {problem}")
    chosen = [image for image in row.images if image is not None]
    if len(set(chosen)) < len(chosen):
        return _problem(_("The same volume stands in two channels"))
    if row.quality is not LabelQuality.UNLABELLED:
        if row.label is None:
            return _problem(_("No segmentation; choose one or set to unlabelled"))
        problem = problemOf(row.label)
        if problem:
            return _problem(_("Segmentation: {problem}").format(problem=problem))
    elif row.split is not Split.TRAIN:
        return CaseStatus(Severity.NOTE, _("Not used: nothing to compare with, as it is unlabelled"))
    elif row.label is not None:
        return CaseStatus(Severity.NOTE, _("Ready; its segmentation is not used"))
    return CaseStatus(Severity.READY, _("Ready"))


def _problem(text: str) -> CaseStatus:
    return CaseStatus(Severity.PROBLEM, text)
