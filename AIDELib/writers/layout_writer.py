"""A dataset written as a folder in a public layout that has training images, their labels, and test images."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from AIDELib.atomic_file import write_text_atomically
from AIDELib.atomic_folder import creating_folder
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.case_volumes import CaseVolumes, read_case
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError, VolumeError
from AIDELib.writers.nifti_file import write_nifti

# These layouts give them a meaning of their own.
_RESERVED_NAMES = ("background", "ignore")


@dataclass(frozen=True)
class LayoutWriter:
    """How one layout names and describes what all of them hold.

    Attributes:
        title: the layout's name for messages.
        help: what the folder looks like, for the user.
        require_folder_name: name of the folder -> None; raises DatasetError where the layout asks for another.
        image_files: id of a case, its channels on one grid -> the files of its images by name.
        label_image: label map -> what is written of it.
        describe: dataset, training cases, test cases -> the layout's own dataset.json.
    """

    title: str
    help: str
    require_folder_name: Callable[[str], None]
    image_files: Callable[[str, Sequence[sitk.Image]], dict[str, sitk.Image]]
    label_image: Callable[[sitk.Image], sitk.Image]
    describe: Callable[[Dataset, Sequence[Case], Sequence[Case]], dict[str, Any]]

    def write(self, dataset: Dataset, output: Path, show_progress: Callable[[float, str], None]) -> None:
        """Write the folder; it appears only when it is complete.

        Test cases and unlabelled ones are the layout's test images; labels of test cases go to labelsTs. All channels of a
        case and its label lie on the grid of the first channel; label value i + 1 is structure i.

        Args:
            show_progress: called with the share done, 0 to 1, and the case at hand.

        Raises:
            DatasetError: the layout cannot hold the dataset, the folder exists already or cannot be written.
            VolumeError: an image or label cannot be used.
        """
        self.require_folder_name(output.name)
        for structure in dataset.structures:
            if structure.name.casefold() in _RESERVED_NAMES:
                raise DatasetError(
                    f"'{structure.name}' is no name for a structure in {self.title}; give it another one."
                )
        training, test = training_cases(dataset), test_cases(dataset)
        try:
            with creating_folder(output) as folder:
                for name in ("imagesTr", "labelsTr", "imagesTs"):
                    (folder / name).mkdir()
                for index, case in enumerate(dataset.cases):
                    show_progress(index / len(dataset.cases), case.id)
                    self._write_case(read_case(case, dataset), folder, "Ts" if case in test else "Tr")
                description = json.dumps(self.describe(dataset, training, test), indent=1, ensure_ascii=False)
                write_text_atomically(folder / "dataset.json", description + "\n")
        except OSError as error:
            raise DatasetError(f"{output} cannot be written: {error.strerror}.") from None

    def _write_case(self, volumes: CaseVolumes, folder: Path, part: str) -> None:
        name = volumes.case.id
        try:
            for file, image in self.image_files(name, volumes.channels).items():
                write_nifti(image, folder / f"images{part}" / file)
            if volumes.label is not None:
                (folder / f"labels{part}").mkdir(exist_ok=True)
                write_nifti(self.label_image(volumes.label), folder / f"labels{part}" / f"{name}.nii.gz")
        except VolumeError as error:
            raise VolumeError(f"Case '{name}': {error}") from None


def training_cases(dataset: Dataset) -> tuple[Case, ...]:
    """Return the cases that a layout trains with: labelled, and not for testing."""
    return tuple(
        case for case in dataset.cases if case.quality is not LabelQuality.UNLABELLED and case.split is not Split.TEST
    )


def test_cases(dataset: Dataset) -> tuple[Case, ...]:
    """Return all others."""
    training = set(training_cases(dataset))
    return tuple(case for case in dataset.cases if case not in training)
