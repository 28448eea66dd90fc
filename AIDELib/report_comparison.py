"""Two evaluations of the same cases compared with paired t-tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from AIDELib.report import COLUMNS, ReportError, read_report, structure_names
from AIDELib.statistics import METRIC_NAMES, PairedTest, compare_rows


@dataclass(frozen=True)
class ComparisonRow:
    """One line of a comparison.

    Attributes:
        structure: name of the structure.
        metric: DSC, RAVD, ASSD or MSSD.
        test: the paired test over the cases that both reports have.
    """

    structure: str
    metric: str
    test: PairedTest


def compare_reports(first_folder: Path, second_folder: Path) -> list[ComparisonRow]:
    """Compare two report folders.

    Raises:
        ReportError: a folder holds no report, or they have no structure or no case in common.
    """
    first, second = read_report(first_folder), read_report(second_folder)
    structures = [name for name in structure_names(first) if name in structure_names(second)]
    if not structures:
        raise ReportError(f"{first_folder} and {second_folder} have no structure in common.")
    rows = []
    for structure in structures:
        tests = compare_rows(first, second, structure)
        if not any(test.count for test in tests.values()):
            raise ReportError(f"{first_folder} and {second_folder} have no case in common for {structure}.")
        rows += [
            ComparisonRow(structure, column, tests[name])
            for column, name in zip(COLUMNS[2:], METRIC_NAMES, strict=True)
        ]
    return rows


def comparison_document(first_name: str, second_name: str, rows: Sequence[ComparisonRow]) -> dict[str, Any]:
    """Return a comparison as JSON values; undefined numbers are None."""
    return {
        "first": first_name,
        "second": second_name,
        "rows": [
            {
                "structure": row.structure,
                "metric": row.metric,
                "cases": row.test.count,
                "first_mean": _number(row.test.first_mean),
                "second_mean": _number(row.test.second_mean),
                "difference": _number(row.test.difference),
                "interval": [_number(bound) for bound in row.test.interval],
                "p": _number(row.test.p),
            }
            for row in rows
        ],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
