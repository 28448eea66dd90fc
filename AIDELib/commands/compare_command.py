"""`compare`: paired t-tests of two evaluations of the same cases."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from AIDELib.report import COLUMNS, ReportError, read_report, structure_names
from AIDELib.statistics import METRIC_NAMES, PairedTest, compare_rows


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
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    first, second = read_report(arguments.first), read_report(arguments.second)
    structures = [name for name in structure_names(first) if name in structure_names(second)]
    if not structures:
        raise ReportError(f"{arguments.first} and {arguments.second} have no structure in common.")
    print(f"A: {arguments.first}\nB: {arguments.second}")
    print(f"{'structure':20}{'metric':8}{'cases':>6}{'A':>10}{'B':>10}{'A - B':>10}  {'95 % interval':^20}{'p':>10}")
    for structure in structures:
        tests = compare_rows(first, second, structure)
        if not any(test.count for test in tests.values()):
            raise ReportError(f"{arguments.first} and {arguments.second} have no case in common for {structure}.")
        for column, name in zip(COLUMNS[2:], METRIC_NAMES, strict=True):
            print(f"{structure:20}{column:8}{_describe(tests[name])}")


def _describe(test: PairedTest) -> str:
    interval = f"{_cell(test.interval[0])} to {_cell(test.interval[1])}"
    p = "-" if math.isnan(test.p) else "<0.0001" if test.p < 1e-4 else f"{test.p:.4f}"
    means = "".join(f"{_cell(value):>10}" for value in (test.first_mean, test.second_mean, test.difference))
    return f"{test.count:>6}{means}  {interval:^20}{p:>10}"


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
