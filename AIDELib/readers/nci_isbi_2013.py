"""NCI-ISBI 2013 prostate challenge: DICOM folders named by case, NRRD labels; two domains, 3 T and 1.5 T endorectal."""

from __future__ import annotations

import re
from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder

_CASE = re.compile(r"Prostate(3T|Dx)-\d+-\d+")
_DOMAINS = {"3T": "3T", "Dx": "1.5T endorectal"}


def read_nci_isbi_2013(source: Path) -> FoundCases:
    """Return the cases below a folder: each DICOM series in a folder of the case's name, each label CASE.nrrd.

    Raises:
        DatasetError: no such series is found.
    """
    series = _series_by_case(require_folder(source))
    labels = _labels_by_case(source)
    cases = [
        FoundCase(name, (folder,), (labels[name],) if name in labels else (), _DOMAINS[_CASE.fullmatch(name)[1]])  # type: ignore[index]
        for name, folder in series.items()
    ]
    return FoundCases(
        ("T2",),
        named_structures([("peripheral zone", [1]), ("central gland", [2])]),
        require_cases(
            cases, source, "DICOM images below folders such as Prostate3T-01-0001, labels Prostate3T-01-0001.nrrd"
        ),
    )


def _series_by_case(source: Path) -> dict[str, Path]:
    """Return the folder with the DICOM files of each case; the case names one of the folders above them."""
    found: dict[str, Path] = {}
    for folder in sorted({file.parent for file in source.rglob("*.dcm")}):
        names = [part for part in folder.relative_to(source.parent).parts if _CASE.fullmatch(part)]
        if names:
            found.setdefault(names[-1], folder)
    return found


def _labels_by_case(source: Path) -> dict[str, Path]:
    matches = ((_CASE.match(file.name), file) for file in sorted(source.rglob("*.nrrd")))
    return {match[0]: file for match, file in matches if match}
