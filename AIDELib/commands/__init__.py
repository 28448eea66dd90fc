"""The command line: one file per command, each with `add_parser(subparsers)` and `run(arguments)`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from AIDELib.errors import AIDEError, FailedElsewhere, describe_os_error

# In the order in which a newcomer needs them; the module of each is AIDELib.commands.NAME_command.
COMMAND_NAMES = (
    "import",
    "check",
    "train",
    "predict",
    "predict-batch",
    "evaluate",
    "measure",
    "compare",
    "review",
    "devices",
    "export",
    "export-dataset",
    "benchmark",
)


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m AIDELib",
        description="Train a segmentation model from a few good labels and many rough or missing ones (AIDE), "
        "and segment new scans with it.",
        epilog="Start with 'import' (write a dataset.json from your folders), then 'check', 'train' and 'predict'. "
        "'COMMAND --help' explains each.",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMAND_NAMES:
        command = importlib.import_module(f"AIDELib.commands.{name.replace('-', '_')}_command")
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code: 0 on success, 2 after one plain sentence on bad input."""
    arguments = create_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except FailedElsewhere:  # whose process has told
        return 2
    except AIDEError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Who reads the output has seen enough; what Python still holds of it has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"Error: {describe_os_error(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return 130
    return 0
