"""One row of the case table: where the images and the label of an examination come from, and what they are used for."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from AIDELib.case import LabelQuality, Split


@dataclass(frozen=True)
class Source:
    """An image or a label: a node of the scene, or a file or DICOM folder that is not loaded.

    Attributes:
        nodeID: MRML ID, empty for a file.
        path: file, empty for a node; may end in `#INDEX` to name one channel of a 4D file.
    """

    nodeID: str = ""
    path: str = ""

    def __post_init__(self) -> None:
        if bool(self.nodeID) == bool(self.path):
            raise ValueError(f"A source is either a node or a file, got node '{self.nodeID}' and file '{self.path}'.")

    @classmethod
    def ofFile(cls, path: Path) -> Source:
        """Return the source of a file."""
        return cls(path=str(path))


@dataclass(frozen=True)
class CaseRow:
    """One examination.

    Attributes:
        name: unique in the table; becomes the id of the case, made fit for a file name at export.
        images: one source per channel; None where a channel has no volume yet.
        label: segmentation node or label file; None for none. A row of quality UNLABELLED may keep its label: it is
            then not used.
        quality: worth of the label.
        split: use of the case.
        patient: cases of one patient stand in one split.
        domain: scanner or hospital, free text.
        raterLabels: labels by several annotators, for evaluation only.
        key: stays when all the rest is edited.
    """

    name: str
    images: tuple[Source | None, ...]
    label: Source | None = None
    quality: LabelQuality = LabelQuality.UNLABELLED
    split: Split = Split.TRAIN
    patient: str = ""
    domain: str = ""
    raterLabels: tuple[Source, ...] = ()
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def replace(self, **changes: Any) -> CaseRow:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def sources(self) -> list[Source]:
        """Return all sources."""
        label = [] if self.label is None else [self.label]
        return [image for image in self.images if image is not None] + label + list(self.raterLabels)
