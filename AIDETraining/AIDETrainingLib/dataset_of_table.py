"""The case table as a dataset of AIDELib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.standardization import standardize
from AIDESlicer.file_name import fileNames
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable

PathOf = Callable[[CaseRow, Source], Path]


def caseIds(rows: Sequence[CaseRow]) -> dict[str, str]:
    """Return an id for each row by key: its name made fit to be a file name, and unique."""
    return dict(zip((row.key for row in rows), fileNames([row.name for row in rows]), strict=True))


def usedRows(table: CaseTable) -> list[CaseRow]:
    """Return the rows that a training or its evaluation uses: all but unlabelled ones outside the training split."""
    return [row for row in table.rows if row.split is Split.TRAIN or row.quality is not LabelQuality.UNLABELLED]


def datasetOf(table: CaseTable, pathOf: PathOf) -> Dataset:
    """Return the dataset of the rows that are used.

    Args:
        pathOf: the file of each source of a row.

    Raises:
        DatasetError: the table cannot be one; the message names case or structure.
    """
    structures = [structure.toStructure() for structure in table.structures if structure.used]
    if not structures:
        raise DatasetError(
            _(
                "There is no structure to learn. Add a case with a segmentation, or tick a structure in "
                "the list of structures."
            )
        )
    rows = usedRows(table)
    ids = caseIds(rows)
    return Dataset(
        tuple(table.channels), tuple(structures), tuple(_case(row, ids[row.key], table, pathOf) for row in rows)
    )


def plannedDataset(table: CaseTable) -> Dataset:
    """Return the dataset as it will be, with a placeholder for each file that is not written yet.

    Raises:
        DatasetError: the table cannot be one.
    """
    return datasetOf(table, lambda _row, source: Path(source.path or "-"))


def trainingStatement(table: CaseTable) -> str:
    """Return one sentence that says what a training on the table will do.

    Raises:
        DatasetError: no training case is labelled.
    """
    rows = [row for row in table.rows if row.split is Split.TRAIN]
    return standardize([_case(row, row.key, table, lambda *_: Path("-")) for row in rows]).statement


def _case(row: CaseRow, caseId: str, table: CaseTable, pathOf: PathOf) -> Case:
    for channel, image in zip(table.channels, row.images, strict=True):
        if image is None:
            raise DatasetError(
                _(
                    "Case '{case}' has no volume for channel '{channel}'; choose one, or remove the case or "
                    "the channel."
                ).format(case=row.name, channel=channel)
            )
    labelled = row.quality is not LabelQuality.UNLABELLED
    if labelled and row.label is None:
        raise DatasetError(
            _("Case '{case}' has no segmentation; choose one, or set its quality to unlabelled.").format(case=row.name)
        )
    return Case(
        id=caseId,
        images=tuple(pathOf(row, image) for image in row.images if image is not None),
        label=pathOf(row, row.label) if labelled and row.label is not None else None,
        quality=row.quality,
        split=row.split,
        patient=row.patient,
        domain=row.domain,
        rater_labels=tuple(pathOf(row, label) for label in row.raterLabels) if labelled else (),
    )
