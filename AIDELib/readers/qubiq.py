"""QUBIQ challenge: caseNN/image.nii.gz and one label per rater, caseNN/task01_seg01.nii.gz …"""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder


def read_qubiq(source: Path) -> FoundCases:
    """Return the cases below a folder with the labels of all raters of the first task.

    Raises:
        DatasetError: no such file is found.
    """
    images = sorted(require_folder(source).rglob("case*/image.nii.gz"))
    cases = [
        FoundCase(image.parent.name, (image,), tuple(sorted(image.parent.glob("task01_seg*.nii.gz"))))
        for image in images
    ]
    return FoundCases(
        ("image",),
        named_structures([("structure", [1])]),
        require_cases(cases, source, "case01/image.nii.gz and case01/task01_seg01.nii.gz"),
    )
