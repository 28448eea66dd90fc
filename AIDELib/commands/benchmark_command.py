"""`benchmark`: how fast this machine trains."""

from __future__ import annotations

import argparse

import torch

from AIDELib.benchmark import BenchmarkSize, run_benchmark
from AIDELib.device import DEVICE_NAMES, choose_device, describe_device, precision_on
from AIDELib.epoch_cost import measure_epochs
from AIDELib.errors import SettingsError
from AIDELib.prediction_cost import measure_prediction
from AIDELib.presets import PRESETS, preset
from AIDELib.settings import Settings


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "benchmark",
        help="measure how fast this machine trains",
        description="Time AIDE iterations on made-up slices: slices per second, where the time goes, peak memory, and the "
        "ratio to the arithmetic floor (the iteration's floating-point operations over the rate of a convolution "
        "measured in the same run). The defaults are the size of the paper's network.",
        epilog="Example: python -m AIDELib benchmark --size 128 --iterations 5",
    )
    parser.add_argument("--preset", choices=PRESETS, default="paper", help="settings (default: paper)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting")
    parser.add_argument("--size", type=int, default=256, help="slice edge in pixels (default: 256)")
    parser.add_argument("--channels", type=int, default=2, help="image channels (default: 2)")
    parser.add_argument("--structures", type=int, default=1, help="structures (default: 1)")
    parser.add_argument("--iterations", type=int, default=3, help="timed iterations (default: 3)")
    parser.add_argument(
        "--epochs-of",
        type=int,
        nargs="+",
        metavar="N",
        help="instead of iterations, time whole epochs, label pass included, of N slices each: 250 500 1000 2000",
    )
    parser.add_argument(
        "--volume",
        type=int,
        metavar="SLICES",
        help="instead of iterations, time the segmentation of a volume of so many slices, for example 50",
    )
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="what computes (default: auto)")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    device = choose_device(arguments.device)
    settings = preset(arguments.preset).with_texts(arguments.set)
    if arguments.epochs_of:
        _run_epochs(settings, arguments, device)
        return
    if arguments.volume:
        _run_prediction(settings, arguments, device)
        return
    size = BenchmarkSize(arguments.size, arguments.channels, arguments.structures, arguments.iterations)
    print(f"{describe_device(device)}, {precision_on(device, settings.precision).value}, batch {settings.batch_size}")
    result = run_benchmark(settings, size, device)
    print(f"Iteration              {result.seconds_per_iteration:9.3f} s  ({result.slices_per_second:.2f} slices/s)")
    for name, seconds in result.parts.items():
        print(f"  {name:20} {seconds:9.3f} s  ({100 * seconds / result.seconds_per_iteration:4.1f} %)")
    print(f"Label pass             {result.label_pass_seconds_per_slice:9.3f} s per slice and network")
    print(f"Operations             {result.operations / 1e9:9.1f} GFLOP per iteration")
    print(f"Convolution rate       {result.convolution_rate / 1e9:9.1f} GFLOP/s, measured in this run")
    print(f"Arithmetic floor       {result.floor_seconds:9.3f} s per iteration")
    print(f"Ratio to the floor     {result.seconds_per_iteration / result.floor_seconds:9.2f}")
    print(f"Peak memory            {result.peak_memory_gb:9.2f} GB")


def _run_epochs(settings: Settings, arguments: argparse.Namespace, device: torch.device) -> None:
    if min(arguments.epochs_of) < settings.batch_size:
        raise SettingsError(
            f"An epoch needs at least a batch of {settings.batch_size} slices, got {min(arguments.epochs_of)}."
        )
    print(f"{describe_device(device)}, {precision_on(device, settings.precision).value}, batch {settings.batch_size}")
    print(f"{'slices':>8}{'seconds':>10}{'CPU s':>10}{'CPU ms a slice':>16}  ratio to the row above (seconds, CPU)")
    before = None
    for cost in measure_epochs(
        settings, arguments.size, arguments.channels, arguments.structures, arguments.epochs_of, device
    ):
        ratios = f"{cost.seconds / before.seconds:8.2f}{cost.cpu_seconds / before.cpu_seconds:8.2f}" if before else ""
        print(
            f"{cost.slices:8}{cost.seconds:10.1f}{cost.cpu_seconds:10.1f}{1000 * cost.cpu_seconds / cost.slices:16.2f}"
            f"{ratios}",
            flush=True,
        )
        before = cost


def _run_prediction(settings: Settings, arguments: argparse.Namespace, device: torch.device) -> None:
    cost = measure_prediction(
        settings, arguments.size, arguments.volume, arguments.channels, arguments.structures, device
    )
    print(f"{describe_device(device)}, {cost.precision}, {cost.networks} network(s) of width {settings.network_width}")
    print(f"Volume of {arguments.size} x {arguments.size} x {arguments.volume} voxels, {arguments.channels} channel(s)")
    print(f"Segmentation           {cost.seconds:9.2f} s")
    print(f"CPU time               {cost.cpu_seconds:9.2f} s")
