"""`predict-batch`: a prepared prediction job done."""

from __future__ import annotations

import argparse
from pathlib import Path

from AIDELib.batch_prediction import predict_batch
from AIDELib.commands.terminal import TerminalProgress
from AIDELib.errors import VolumeError
from AIDELib.prediction_job import JobFolder


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "predict-batch",
        help="segment many examinations, as a job.json says",
        description="Do a prediction job: a folder whose job.json names a model and many examinations. Progress is written "
        "into the folder; one examination that fails does not stop the others.",
        epilog="Example: python -m AIDELib predict-batch jobs/liver",
    )
    parser.add_argument("job", type=Path, metavar="JOB", help="folder with a job.json")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    folder = JobFolder(arguments.job)
    with TerminalProgress() as progress:
        failed = predict_batch(folder, progress.show_event)
    if failed:
        messages = [event["message"] for event in folder.events() if event["event"] == "task_failed"]
        raise VolumeError(f"{failed} of the examinations could not be segmented:\n" + "\n".join(messages[-failed:]))
