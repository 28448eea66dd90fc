"""`devices`: what can compute on this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

import torch

from AIDELib.device import available_devices


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "devices",
        help="list what can compute on this machine",
        description="List the devices that can train and segment, the one that 'auto' takes first.",
        epilog="Example: python -m AIDELib devices",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    devices = available_devices()
    if arguments.json:
        print(
            json.dumps({"torch": str(torch.__version__), "devices": [asdict(device) for device in devices]}, indent=1)
        )
        return
    for device in devices:
        print(f"{device.name:6}{device.description}")
