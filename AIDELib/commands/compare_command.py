"""`compare`: paired t-tests of two evaluations of the same cases."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from AIDELib.report_comparison import compare_reports, comparison_document
from AIDELib.statistics import PairedTest


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "compare",
        help="compare two evaluations with paired t-tests",
        description="Compare two report folders of 'evaluate' case by case: means, their difference A - B with its 95 % "
        "confidence interval, and the p value of a two-sided paired t-test, for each structure and metric.",
        epilog="Example: python -m AIDELib compare reports/aide reports/supervised",
    )
    parser.add_argument("first", type=Path, metavar="DIR_A", help="report folder A")
    parser.add_argument("second", type=Path, metavar="DIR_B", help="report folder B")
    parser.add_argument("--json", action="store_true", help="print JSON, null where a number is undefined")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    rows = compare_reports(arguments.first, arguments.second)
    if arguments.json:
        document = comparison_document(str(arguments.first), str(arguments.second), rows)
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return
    print(f"A: {arguments.first}\nB: {arguments.second}")
    print(f"{'structure':20}{'metric':8}{'cases':>6}{'A':>10}{'B':>10}{'A - B':>10}  {'95 % interval':^20}{'p':>10}")
    for row in rows:
        print(f"{row.structure:20}{row.metric:8}{_describe(row.test)}")


def _describe(test: PairedTest) -> str:
    interval = f"{_cell(test.interval[0])} to {_cell(test.interval[1])}"
    p = "-" if math.isnan(test.p) else "<0.0001" if test.p < 1e-4 else f"{test.p:.4f}"
    means = "".join(f"{_cell(value):>10}" for value in (test.first_mean, test.second_mean, test.difference))
    return f"{test.count:>6}{means}  {interval:^20}{p:>10}"


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
