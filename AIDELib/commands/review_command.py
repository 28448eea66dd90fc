"""`review`: the labels that the networks doubt, worst first."""

from __future__ import annotations

import argparse
from pathlib import Path

from AIDELib.review import read_review, thinned
from AIDELib.run_folder import RunFolder


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "review",
        help="list the labels that are suspect, worst first",
        description="List the training cases by how far the two networks disagree with the label that they were given: "
        "the first ones are worth a look. Works during the training too.",
        epilog="Example: python -m AIDELib review runs/liver",
    )
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    folder = RunFolder(arguments.run_folder)
    folder.read_description()
    cases = read_review(folder)
    width = max(4, *(len(case.case) for case in cases))
    print(f"{'case':{width}}  label       DSC with the networks (over the epochs)      rewritten after epoch")
    for case in cases:
        trend = " ".join(f"{value:.2f}" for value in thinned(case.trend, 6))
        rewritten = " / ".join(",".join(map(str, epochs)) or "-" for epochs in case.corrected_at)
        print(f"{case.case:{width}}  {case.quality.value:10}  {1 - case.suspicion:.3f}  ({trend:35})  {rewritten}")
    print(f"What the networks would draw instead: {folder.suggested_folder} (once the training is finished)")
