"""`evaluate`: a model measured on the test cases, with tables and pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from AIDELib.case import Split
from AIDELib.commands.terminal import TerminalProgress
from AIDELib.dataset_file import load_dataset
from AIDELib.device import DEVICE_NAMES, choose_device
from AIDELib.evaluation_report import write_evaluation_report
from AIDELib.label_comparison import MetricRow
from AIDELib.model import load_model
from AIDELib.predictor import Predictor
from AIDELib.report import COLUMNS, mean_dsc, structure_names, summarize


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="measure a model on the test cases",
        description="Segment the test cases and compare with their labels: DSC, RAVD, ASSD and MSSD per case and "
        "structure, as metrics.csv and metrics.json, a box plot, and a picture and a mask of every case.",
        epilog="Example: python -m AIDELib evaluate dataset.json --model runs/liver --output reports/liver",
    )
    parser.add_argument("dataset", type=Path, help="dataset.json")
    parser.add_argument("--model", type=Path, required=True, help="a .aide file, or a run folder")
    parser.add_argument("--output", type=Path, required=True, help="folder that the report is written into")
    parser.add_argument(
        "--split", choices=[split.value for split in Split], default="test", help="which cases (default: test)"
    )
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="what computes (default: auto)")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    dataset = load_dataset(arguments.dataset)
    model = load_model(arguments.model)
    predictor = Predictor(model, choose_device(arguments.device))
    with TerminalProgress() as progress:
        report = write_evaluation_report(
            dataset,
            Split(arguments.split),
            predictor,
            arguments.output,
            lambda done, total: progress.show_share(done / total, f"case {done} of {total}"),
        )
    if report.without_pictures:
        print(f"Note: {report.without_pictures}", file=sys.stderr)
    _print_summary(report.rows, report.qubiq_scores)
    print(f"Report: {arguments.output}")


def _print_summary(rows: list[MetricRow], scores: dict[str, float]) -> None:
    print(f"{'structure':24} {'cases':>5}" + "".join(f"{column:>18}" for column in COLUMNS[2:]))
    for structure in structure_names(rows):
        summary = summarize(rows, structure)
        cells = "".join(f"{_mean_and_deviation(summary[column]):>18}" for column in COLUMNS[2:])
        print(f"{structure:24} {summary['DSC']['count']:>5}{cells}")
    print(f"Mean DSC: {mean_dsc(rows):.4f}")
    if scores:
        print(f"Mean QUBIQ score: {sum(scores.values()) / len(scores):.4f}")


def _mean_and_deviation(summary: dict[str, float | None]) -> str:
    mean, deviation = summary["mean"], summary["sd"]
    if mean is None:
        return "-"
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} +- {deviation:.3f}"
