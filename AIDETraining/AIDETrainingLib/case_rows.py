"""Which row of the case table each case of a run was written from, recorded in the folder of the run.

Rows are renamed, and other patients have the same names in other data sets: a name alone says nothing about whose label a
decision is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from AIDELib.atomic_file import replacing
from AIDELib.case import Case
from AIDELib.errors import RunError
from AIDETrainingLib.case_row import CaseRow
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.dataset_of_table import caseIds, usedRows

RECORD = "case-rows.json"


def recordRows(table: CaseTable, run: Path) -> None:
    """Record the keys of the rows that a run is made of.

    Raises:
        RunError: the folder cannot be written.
    """
    keys = {case: key for key, case in caseIds(usedRows(table)).items()}
    try:
        with replacing(run / RECORD) as temporary:
            temporary.write_text(json.dumps(keys, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise RunError(f"The run folder {run} cannot be written: {error.strerror}.") from None


def rowOfCase(table: CaseTable, run: Path, case: Case) -> CaseRow | None:
    """Return the row that a case of a run was written from, None where the table has it no more.

    A run that was not prepared here has no record; a row is then its case's if its images are the same files.
    """
    key = _recorded(run).get(case.id)
    if key is not None:
        return next((row for row in table.rows if row.key == key and _mayBe(row, case)), None)
    return next((row for row in table.rows if all(row.images) and _areFiles(row) and _mayBe(row, case)), None)


def _recorded(run: Path) -> dict[str, str]:
    """Return the keys by case; nothing where there is no record that can be read."""
    try:
        keys = json.loads((run / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return keys if isinstance(keys, dict) else {}


def _areFiles(row: CaseRow) -> bool:
    return all(image is not None and image.path for image in row.images)


def _mayBe(row: CaseRow, case: Case) -> bool:
    """Return whether the images of a row that are files are those of the case."""
    if len(row.images) != len(case.images):
        return False
    return all(
        image is None or not image.path or os.path.realpath(image.path) == os.path.realpath(path)
        for image, path in zip(row.images, case.images, strict=True)
    )
