"""`predict`: a model and the images of one examination to a segmentation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from AIDELib.case_volumes import read_channels
from AIDELib.commands.terminal import TerminalProgress
from AIDELib.device import DEVICE_NAMES, choose_device
from AIDELib.errors import SettingsError, VolumeError
from AIDELib.model import Model, load_model
from AIDELib.prediction_files import (
    check_output,
    probability_files,
    require_other_files,
    split_ending,
    write_labels,
    write_probabilities,
)
from AIDELib.predictor import Predictor
from AIDELib.settings import Precision


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "predict",
        help="segment new images with a trained model",
        description="Segment one examination. The result lies on the grid of the first image.",
        epilog="Example: python -m AIDELib predict runs/liver in.nii.gz out.nii.gz --output liver.seg.nrrd",
    )
    parser.add_argument("model", type=Path, help="a .aide file, or a run folder")
    parser.add_argument(
        "images",
        type=Path,
        nargs="+",
        metavar="IMAGE",
        help="file or DICOM folder, one per channel in the model's order",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="segmentation with names and colours (.seg.nrrd), or label volume (.nii.gz, .nrrd, .mha)",
    )
    parser.add_argument(
        "--probabilities",
        type=Path,
        help="probability volume, 0 to 1; with several structures one file each, named FILE_STRUCTURE "
        "(FILE_NUMBER-STRUCTURE where two names would make one file)",
    )
    parser.add_argument(
        "--each-network",
        action="store_true",
        help="with --probabilities: also those of each network alone, named FILE_networkN, for a look at uncertainty",
    )
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="what computes (default: auto)")
    parser.add_argument(
        "--precision",
        choices=[kind.value for kind in Precision],
        default=Precision.AUTO.value,
        help="arithmetic of the networks (default: auto, bfloat16 on GPUs that have it, otherwise float32)",
    )
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    check_output(arguments.output)
    if arguments.probabilities is not None:
        check_output(arguments.probabilities)
    require_other_files([path for path in (arguments.output, arguments.probabilities) if path], arguments.images)
    if arguments.each_network and arguments.probabilities is None:
        raise SettingsError("--each-network goes with --probabilities, which names the files.")
    model = load_model(arguments.model)
    if arguments.probabilities is not None:
        _require_own_files(arguments, model)
    predictor = Predictor(model, choose_device(arguments.device), Precision(arguments.precision))
    try:
        channels = read_channels(arguments.images, model.description.channels)
    except VolumeError as error:
        raise VolumeError(f"{error} The model was trained on {', '.join(model.description.channels)}.") from None
    with TerminalProgress() as progress:
        prediction = predictor.predict(channels, lambda share: progress.show_share(share, "segmenting"))
    write_labels(prediction.labels, model.description.structures, arguments.output)
    print(f"Segmentation: {arguments.output}")
    if arguments.probabilities is not None:
        for file in write_probabilities(
            prediction.probabilities, model.description.structures, arguments.probabilities
        ):
            print(f"Probabilities: {file}")
        if arguments.each_network:
            _write_each(predictor, channels, arguments.probabilities)


def _require_own_files(arguments: argparse.Namespace, model: Model) -> None:
    """Refuse probabilities that would be written over the segmentation or an image."""
    structures = model.description.structures
    networks = _paths_of_networks(arguments.probabilities, len(model.weights)) if arguments.each_network else []
    files = [file for path in (arguments.probabilities, *networks) for file in probability_files(path, structures)]
    require_other_files([arguments.output, *files], arguments.images)


def _paths_of_networks(path: Path, count: int) -> list[Path]:
    stem, ending = split_ending(path)
    return [path.with_name(f"{stem}_network{index + 1}{ending}") for index in range(count)]


def _write_each(predictor: Predictor, channels: Sequence[sitk.Image], path: Path) -> None:
    networks = predictor.apart()
    for index, (network, own) in enumerate(zip(networks, _paths_of_networks(path, len(networks)), strict=True)):
        for file in write_probabilities(network.predict(channels).probabilities, predictor.description.structures, own):
            print(f"Probabilities of network {index + 1}: {file}")
