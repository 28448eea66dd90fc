"""One case of a dataset: the images of one examination, its label and what that label is worth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from AIDELib.errors import DatasetError

# Ids become names of files on every system.
_ID_PATTERN = re.compile(r"[^<>:\"/\\|?*\x00-\x1f\x7f-\x9f]{1,120}")
# Windows takes these for devices, with any ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class LabelQuality(str, Enum):
    """How far a case's label can be trusted (paper, "Task standardization")."""

    HQA = "HQA"
    LQA = "LQA"
    UNLABELLED = "unlabelled"


class Split(str, Enum):
    """What a case is used for. Test cases are never seen by training or model selection."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


@dataclass(frozen=True)
class Case:
    """One examination.

    Attributes:
        id: name of the case, unique in its dataset and fit to be a file name.
        images: one path per channel, in the dataset's channel order; a file that SimpleITK reads or a folder with
            one DICOM series.
        label: label volume, `.seg.nrrd`, DICOM segmentation or folder of PNG slices; None if and only if `quality` is
            UNLABELLED.
        quality: worth of the label.
        split: use of the case.
        patient: cases of one patient never stand in two splits; the case's id unless given.
        domain: scanner, hospital or sequence that the case comes from; free text.
        rater_labels: labels of the same case by several annotators, used for evaluation only.

    Raises:
        DatasetError: the id is no file name, there is no image, or label and quality contradict each other.
    """

    id: str
    images: tuple[Path, ...]
    label: Path | None
    quality: LabelQuality
    split: Split
    patient: str = ""
    domain: str = ""
    rater_labels: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not _ID_PATTERN.fullmatch(self.id) or self.id.strip(" .") != self.id or _DEVICES.fullmatch(self.id):
            raise DatasetError(
                f"Case '{self.id}': id must be 1 to 120 characters that can stand in a file name "
                '(none of < > : " / \\ | ? * and no space or dot at either end).'
            )
        if not self.images:
            raise DatasetError(f"Case '{self.id}': images is empty; give one file or DICOM folder per channel.")
        if self.quality is LabelQuality.UNLABELLED and self.label is not None:
            raise DatasetError(
                f"Case '{self.id}': quality is unlabelled but a label is given ({self.label}); "
                "set quality to HQA or LQA, or label to null."
            )
        if self.quality is not LabelQuality.UNLABELLED and self.label is None:
            raise DatasetError(
                f"Case '{self.id}': quality is {self.quality.value} but there is no label; "
                "give a label, or set quality to unlabelled."
            )
        if not self.patient:
            object.__setattr__(self, "patient", self.id)
