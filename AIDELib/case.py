"""One case of a dataset: the images of one examination, its label and what that label is worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


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
        id: name of the case, unique in its dataset.
        images: one path per channel, in the dataset's channel order; a file that SimpleITK reads or a folder with
            one DICOM series.
        label: label volume, `.seg.nrrd` or folder of PNG slices; None if and only if `quality` is UNLABELLED.
        quality: worth of the label.
        split: use of the case.
        patient: cases of one patient never stand in two splits; the case's id unless given.
        domain: scanner, hospital or sequence that the case comes from; free text.
        rater_labels: further labels of the same case by several annotators, used for evaluation only.
    """

    id: str
    images: tuple[Path, ...]
    label: Path | None
    quality: LabelQuality
    split: Split
    patient: str = ""
    domain: str = ""
    rater_labels: tuple[Path, ...] = field(default=())
