"""`check`: every case of a dataset read, described, and its faults named."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case, Split
from AIDELib.case_volumes import CaseVolumes, read_case
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError, VolumeError
from AIDELib.standardization import standardize


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "check",
        help="read every case of a dataset.json and name its faults",
        description="Read every image and label of a dataset: a line per case with the volume of each structure in mL, "
        "warnings, and all faults at the end.",
        epilog="Example: python -m AIDELib check dataset.json",
    )
    parser.add_argument("dataset", type=Path, help="dataset.json")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    dataset = load_dataset(arguments.dataset)
    width = max(4, *(len(case.id) for case in dataset.cases))
    names = ", ".join(structure.name for structure in dataset.structures)
    print(f"{'case':{width}}  {'split':5}  {'quality':10}  {'voxels':15}  {'spacing (mm)':18}  mL of {names}")
    faults = []
    learned: set[int] = set()
    for case in dataset.cases:
        try:
            volumes = read_case(case, dataset)
            print(_describe(volumes, dataset, width))
            if case.split is Split.TRAIN and volumes.label is not None:
                learned |= set(np.unique(sitk.GetArrayViewFromImage(volumes.label)).tolist())
        except VolumeError as error:
            faults.append(str(error))
            print(f"{case.id:{width}}  {case.split.value:5}  {case.quality.value:10}  cannot be used, see below")
    if faults:
        raise DatasetError(f"{len(faults)} of {len(dataset.cases)} cases cannot be used.\n" + "\n".join(faults))
    _print_summary(dataset)
    for index, structure in enumerate(dataset.structures):
        if learned and index + 1 not in learned:
            print(f"! No training label holds the structure '{structure.name}', which can then not be learned.")


def _describe(volumes: CaseVolumes, dataset: Dataset, width: int) -> str:
    case, image = volumes.case, volumes.channels[0]
    size = "x".join(map(str, image.GetSize()))
    spacing = "x".join(f"{value:.3g}" for value in image.GetSpacing())
    line = f"{case.id:{width}}  {case.split.value:5}  {case.quality.value:10}  {size:15}  {spacing:18}"
    return f"{line}  {_volumes_in_ml(volumes, dataset)}{_warnings(volumes)}"


def _volumes_in_ml(volumes: CaseVolumes, dataset: Dataset) -> str:
    if volumes.label is None:
        return "-"
    if volumes.label.GetDimension() == 2:
        return "2D"
    counts = np.bincount(sitk.GetArrayViewFromImage(volumes.label).ravel(), minlength=len(dataset.structures) + 1)
    voxel_ml = float(np.prod(volumes.label.GetSpacing())) / 1000
    return ", ".join(f"{count * voxel_ml:.3g}" for count in counts[1:])


def _warnings(volumes: CaseVolumes) -> str:
    warnings = []
    if volumes.label is not None and not sitk.GetArrayViewFromImage(volumes.label).any():
        warnings.append("the label is empty: is no structure in this image?")
    for position, channel in enumerate(volumes.channels):
        if np.ptp(sitk.GetArrayViewFromImage(channel)) == 0:
            warnings.append(f"channel {position + 1} has one grey value only")
    return "".join(f"  ! {warning}" for warning in warnings)


def _print_summary(dataset: Dataset) -> None:
    splits = Counter(case.split for case in dataset.cases)
    print(
        f"{len(dataset.cases)} cases ({', '.join(f'{splits[split]} {split.value}' for split in Split if splits[split])})."
    )
    training: tuple[Case, ...] = dataset.select(Split.TRAIN)
    if training:
        print(f"For training: {standardize(training).statement}")
