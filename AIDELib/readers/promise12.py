"""PROMISE12 prostate challenge: CaseNN.mhd and CaseNN_segmentation.mhd."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder

_LABEL_MARK = "_segmentation"


def read_promise12(source: Path) -> FoundCases:
    """Return the cases below a folder; those of the test set have no label.

    A label belongs to the image beside it: in other folders the same numbers are other patients. Cases of the same number
    get the name of their folder before it.

    Raises:
        DatasetError: no such file is found.
    """
    images = [file for file in sorted(require_folder(source).rglob("Case*.mhd")) if not file.stem.endswith(_LABEL_MARK)]
    counts = Counter(image.stem for image in images)
    cases = []
    for image in images:
        label = image.with_name(f"{image.stem}{_LABEL_MARK}.mhd")
        name = image.stem if counts[image.stem] == 1 else f"{image.parent.name}-{image.stem}"
        cases.append(FoundCase(name, (image,), (label,) if label.is_file() else ()))
    return FoundCases(
        ("T2",),
        named_structures([("prostate", [1])]),
        require_cases(cases, source, "Case00.mhd and Case00_segmentation.mhd"),
    )
