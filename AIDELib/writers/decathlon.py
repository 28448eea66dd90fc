"""Medical Segmentation Decathlon: dataset.json, imagesTr, labelsTr, imagesTs; several channels in one 4D file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import SimpleITK as sitk

from AIDELib.case import Case
from AIDELib.dataset import Dataset
from AIDELib.grid import as_volume
from AIDELib.writers.layout_writer import LayoutWriter


def _image_files(case_id: str, channels: Sequence[sitk.Image]) -> dict[str, sitk.Image]:
    volumes = [as_volume(channel) for channel in channels]
    return {f"{case_id}.nii.gz": volumes[0] if len(volumes) == 1 else sitk.JoinSeries(volumes)}


def _describe(dataset: Dataset, training: Sequence[Case], test: Sequence[Case]) -> dict[str, Any]:
    structures = {str(index + 1): structure.name for index, structure in enumerate(dataset.structures)}
    return {
        "name": "AIDE",
        "description": "",
        "tensorImageSize": "3D" if len(dataset.channels) == 1 else "4D",
        "modality": {str(index): name for index, name in enumerate(dataset.channels)},
        "labels": {"0": "background"} | structures,
        "numTraining": len(training),
        "numTest": len(test),
        "training": [
            {"image": f"./imagesTr/{case.id}.nii.gz", "label": f"./labelsTr/{case.id}.nii.gz"} for case in training
        ],
        "test": [f"./imagesTs/{case.id}.nii.gz" for case in test],
    }


DECATHLON = LayoutWriter(
    title="the Decathlon layout",
    help="Medical Segmentation Decathlon task (channels in one 4D file; 2D images become volumes of one slice)",
    require_folder_name=lambda name: None,
    image_files=_image_files,
    label_image=as_volume,
    describe=_describe,
)
