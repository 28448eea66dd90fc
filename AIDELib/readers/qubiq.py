"""QUBIQ challenge: caseNN/image.nii.gz and one label per rater, caseNN/task01_seg01.nii.gz …"""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder


def read_qubiq(source: Path) -> FoundCases:
    """Return the cases below a folder with the labels of all raters of the first task.

    Raises:
        DatasetError: no such file is found.
    """
    labels = {
        image: {label.name: label for label in image.parent.glob("task01_seg*.nii.gz")}
        for image in sorted(require_folder(source).rglob("case*/image.nii.gz"))
    }
    raters = sorted({name for drawn in labels.values() for name in drawn})
    cases = [
        FoundCase(
            image.parent.name,
            (image,),
            tuple(drawn[name] for name in raters if name in drawn),
            raters=tuple(index + 1 for index, name in enumerate(raters) if name in drawn),
        )
        for image, drawn in labels.items()
    ]
    return FoundCases(
        ("image",),
        named_structures([("structure", [1])]),
        require_cases(cases, source, "case01/image.nii.gz and case01/task01_seg01.nii.gz"),
    )
