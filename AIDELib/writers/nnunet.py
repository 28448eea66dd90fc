"""nnU-Net raw data, version 2: DatasetNNN_NAME/dataset.json, imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz, imagesTs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.writers.layout_writer import LayoutWriter

_FOLDER_NAME = re.compile(r"Dataset\d{3}_.+", re.ASCII)


def _require_folder_name(name: str) -> None:
    if not _FOLDER_NAME.fullmatch(name):
        raise DatasetError(
            f"nnU-Net finds a dataset by the name of its folder, which must be like Dataset123_Liver; '{name}' is not."
        )


def _image_files(case_id: str, channels: Sequence[sitk.Image]) -> dict[str, sitk.Image]:
    return {f"{case_id}_{index:04d}.nii.gz": channel for index, channel in enumerate(channels)}


def _describe(dataset: Dataset, training: Sequence[Case], test: Sequence[Case]) -> dict[str, Any]:
    structures = {structure.name: index + 1 for index, structure in enumerate(dataset.structures)}
    return {
        "channel_names": {str(index): name for index, name in enumerate(dataset.channels)},
        "labels": {"background": 0} | structures,
        "numTraining": len(training),
        "file_ending": ".nii.gz",
    }


NNUNET = LayoutWriter(
    title="nnU-Net",
    help="nnU-Net raw folder (dataset.json of version 2, imagesTr/CASE_0000.nii.gz, labelsTr, imagesTs)",
    require_folder_name=_require_folder_name,
    image_files=_image_files,
    label_image=lambda label: label,
    describe=_describe,
)
