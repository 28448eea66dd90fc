"""`measure`: the metrics of two label files."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.dicom_segmentation import dicom_segmentation_in, read_dicom_segmentation
from AIDELib.errors import VolumeError
from AIDELib.grid import as_volume, describe_grid, grids_overlap, resample_onto, same_grid
from AIDELib.label_comparison import array_spacing
from AIDELib.metrics import Metrics, measure
from AIDELib.segmentation_file import Segment, SegmentationFile, is_segmentation_file, read_segmentation
from AIDELib.volume import read_file

Mask = NDArray[np.bool_]


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "measure",
        help="compare two label files",
        description="Compare a segmentation with a reference: DSC, RAVD (relative volume difference), ASSD and MSSD (mean "
        "and maximum surface distance in mm), one line per segment name where both are segmentations with names (.seg.nrrd, "
        "DICOM), otherwise one line per label value.",
        epilog="Example: python -m AIDELib measure mask.nii.gz truth.nii.gz",
    )
    parser.add_argument("prediction", type=Path, help="label volume or .seg.nrrd")
    parser.add_argument("reference", type=Path, help="label volume or .seg.nrrd that counts as the truth")
    parser.add_argument("--json", action="store_true", help="print JSON, null where a metric is undefined")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    metrics = measure_files(arguments.prediction, arguments.reference)
    if arguments.json:
        values = {
            name: {key.upper(): _json_number(value) for key, value in asdict(row).items()}
            for name, row in metrics.items()
        }
        print(json.dumps(values, indent=1, ensure_ascii=False))
        return
    print(f"{'label':24}{'DSC':>10}{'RAVD':>10}{'ASSD mm':>10}{'MSSD mm':>10}")
    for name, row in metrics.items():
        print(f"{name:24}{row.dsc:>10.4f}{_cell(row.ravd):>10}{_cell(row.assd):>10}{_cell(row.mssd):>10}")


def measure_files(prediction: Path, reference: Path) -> dict[str, Metrics]:
    """Return the metrics of each label that occurs in either file.

    Raises:
        VolumeError: a file cannot be read, they lie apart in space, or neither holds any label.
    """
    files = [_open(path) for path in (prediction, reference)]
    grids = [file.grid if isinstance(file, SegmentationFile) else file for file in files]
    if not grids_overlap(*grids):
        raise VolumeError(
            f"{prediction} ({describe_grid(grids[0])}) and {reference} ({describe_grid(grids[1])}) do not overlap in space."
        )
    if not same_grid(*grids):
        print(f"Note: the grids differ; {prediction} is resampled onto that of {reference}.", file=sys.stderr)
    segmentations = [file for file in files if isinstance(file, SegmentationFile)]
    if len(segmentations) == len(files):
        masks = [_masks_by_name(file) for file in segmentations]
    else:
        masks = [_masks_by_value(file, path) for file, path in zip(files, (prediction, reference), strict=True)]
    names = list(dict.fromkeys([*masks[1], *masks[0]]))
    if not names:
        raise VolumeError(f"Neither {prediction} nor {reference} holds any label.")
    empty = np.zeros(grids[1].GetSize()[::-1], bool)
    return {
        name: measure(
            _on_grid(masks[0][name], grids[0], grids[1]) if name in masks[0] else empty,
            masks[1].get(name, empty),
            array_spacing(grids[1]),
        )
        for name in sorted(names, key=lambda name: (len(name), name) if name.isdigit() else (0, ""))
    }


def _open(path: Path) -> SegmentationFile | sitk.Image:
    """Return a segmentation, or a 3D label volume."""
    dicom_file = dicom_segmentation_in(path)
    if dicom_file is not None:
        return read_dicom_segmentation(dicom_file)
    if is_segmentation_file(path):
        return read_segmentation(path)
    image = read_file(path)
    if image.GetNumberOfComponentsPerPixel() != 1 or image.GetDimension() not in (2, 3):
        raise VolumeError(f"{path} is no label volume: it must be 2D or 3D with one value per voxel.")
    return as_volume(image)


def _masks_by_name(file: SegmentationFile) -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    for segment in file.segments:
        mask = file.mask(segment)
        masks[segment.name] = masks[segment.name] | mask if segment.name in masks else mask
    return masks


def _masks_by_value(file: SegmentationFile | sitk.Image, path: Path) -> dict[str, Mask]:
    if isinstance(file, sitk.Image):
        values = sitk.GetArrayFromImage(file)
        return {f"{value:g}": values == value for value in np.unique(values[values != 0])}
    segments: dict[int, Segment] = {}
    for segment in file.segments:
        other = segments.setdefault(segment.label_value, segment)
        if other is not segment:
            raise VolumeError(
                f"{path}: the segments '{other.name}' and '{segment.name}' both have the label value "
                f"{segment.label_value}, so that it is unknown which of them a label volume's {segment.label_value} is. "
                "Compare two segmentations, whose segments are told apart by name."
            )
    return {str(value): file.mask(segment) for value, segment in segments.items()}


def _on_grid(mask: Mask, grid: sitk.Image, reference: sitk.Image) -> Mask:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.CopyInformation(grid)
    return sitk.GetArrayFromImage(resample_onto(image, reference, sitk.sitkNearestNeighbor)) > 0


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
