"""The report folder of an evaluation: `metrics.csv` and `metrics.json`; pictures are added by `pictures`."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from AIDELib.atomic_file import write_text_atomically
from AIDELib.errors import AIDEError
from AIDELib.label_comparison import MetricRow
from AIDELib.metrics import Metrics
from AIDELib.statistics import METRIC_NAMES

CSV_FILE = "metrics.csv"
JSON_FILE = "metrics.json"
COLUMNS = ("case", "structure", "DSC", "RAVD", "ASSD", "MSSD")


class ReportError(AIDEError):
    """A report folder is missing or damaged."""


def write_report(folder: Path, rows: Sequence[MetricRow], qubiq_scores: Mapping[str, float]) -> None:
    """Write the tables of an evaluation.

    `metrics.csv` has the columns case, structure, DSC, RAVD, ASSD, MSSD, distances in mm, empty where undefined.
    `metrics.json` has the same rows, their summary per structure, and QUBIQ's score per case where there are raters.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.case, row.structure, *(_cell(getattr(row.metrics, name)) for name in METRIC_NAMES)])
    write_text_atomically(folder / CSV_FILE, text.getvalue())
    document: dict[str, Any] = {
        "rows": [
            {"case": row.case, "structure": row.structure}
            | {
                column: _number(getattr(row.metrics, name))
                for column, name in zip(COLUMNS[2:], METRIC_NAMES, strict=True)
            }
            for row in rows
        ],
        "summary": {structure: summarize(rows, structure) for structure in structure_names(rows)},
        "mean DSC": _number(mean_dsc(rows)),
    }
    if qubiq_scores:
        document["QUBIQ score"] = {case: round(score, 6) for case, score in qubiq_scores.items()}
        document["mean QUBIQ score"] = round(float(np.mean(list(qubiq_scores.values()))), 6)
    write_text_atomically(
        folder / JSON_FILE, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )


def read_report(folder: Path) -> list[MetricRow]:
    """Return the rows of a report folder.

    Raises:
        ReportError: the folder has no metrics table, or it is damaged; the message names file and line.
    """
    file = folder / CSV_FILE
    try:
        lines = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    except OSError:
        raise ReportError(f"There is no {CSV_FILE} in {folder}. Name a folder that 'evaluate' wrote.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReportError(f"{file} is no metrics table ({error}).") from None
    if not lines or tuple(lines[0]) != COLUMNS:
        raise ReportError(f"{file} is no metrics table: its first line must be {','.join(COLUMNS)}.")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            case, structure, *cells = line
            values = [math.nan if cell == "" else float(cell) for cell in cells]
            rows.append(MetricRow(case, structure, Metrics(*values)))
        except (ValueError, TypeError):
            raise ReportError(f"{file}, line {number}: '{','.join(line)}' is no row of {', '.join(COLUMNS)}.") from None
    return rows


def structure_names(rows: Sequence[MetricRow]) -> list[str]:
    """Return the names of the structures in the order in which they first occur."""
    return list(dict.fromkeys(row.structure for row in rows))


def mean_dsc(rows: Sequence[MetricRow]) -> float:
    """Return the mean DSC over all cases and structures."""
    return float(np.mean([row.metrics.dsc for row in rows])) if rows else math.nan


def summarize(rows: Sequence[MetricRow], structure: str) -> dict[str, Any]:
    """Return mean, standard deviation and median of each metric of a structure, undefined values left out."""
    summary = {}
    for column, name in zip(COLUMNS[2:], METRIC_NAMES, strict=True):
        values = np.array([getattr(row.metrics, name) for row in rows if row.structure == structure])
        known = values[~np.isnan(values)]
        summary[column] = {
            "count": len(known),
            "mean": _number(known.mean() if len(known) else math.nan),
            "sd": _number(known.std(ddof=1) if len(known) > 1 else math.nan),
            "median": _number(np.median(known) if len(known) else math.nan),
        }
    return summary


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def _number(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None
