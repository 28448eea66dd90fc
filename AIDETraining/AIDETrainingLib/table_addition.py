"""Rows of another data set added to the case table, with their structures."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _

from AIDELib.errors import DatasetError
from AIDELib.structure import Structure
from AIDETrainingLib.case_row import CaseRow
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.table_structure import TableStructure, withFileStructures, withSegments


def addRows(
    table: CaseTable, channels: Sequence[str], structures: Sequence[Structure], rows: Sequence[CaseRow]
) -> list[str]:
    """Add the rows whose images the table lacks, and return their keys.

    Args:
        channels: what the images of the rows are; an empty table gets these names.
        structures: what the labels of the rows hold.

    Raises:
        DatasetError: there are more or fewer channels than the table has, or a value means one structure in label files of
            the table and another in those of the rows; the table is then as before.
    """
    if table.rows and len(channels) != len(table.channels):
        raise DatasetError(
            _(
                "These cases have {count} channel(s) ({names}), but the table has {tableCount} ({tableNames}). "
                "Add or remove channels first, or start an empty table."
            ).format(
                count=len(channels),
                names=", ".join(channels),
                tableCount=len(table.channels),
                tableNames=", ".join(table.channels),
            )
        )
    present = {source for row in table.rows for source in row.images}
    new = [row for row in rows if row.images[0] not in present]
    merged = _merged(table, structures, new)
    if not table.rows:
        table.setChannels(channels)
    table.setStructures(merged)
    return table.addRows(new)


def _merged(table: CaseTable, structures: Sequence[Structure], rows: Sequence[CaseRow]) -> list[TableStructure]:
    # Segmentation nodes are matched by name: their values are whatever is free.
    haveNodes = any(row.label is not None and row.label.nodeID for row in rows)
    if haveNodes and not _haveLabelFiles(rows):
        return withSegments(table.structures, structures)
    return withFileStructures(table.structures, structures, _haveLabelFiles(table.rows))


def _haveLabelFiles(rows: Sequence[CaseRow]) -> bool:
    return any(row.label is not None and row.label.path for row in rows)
