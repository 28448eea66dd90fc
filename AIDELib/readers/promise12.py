"""PROMISE12 prostate challenge: CaseNN.mhd and CaseNN_segmentation.mhd."""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder

_LABEL_MARK = "_segmentation"


def read_promise12(source: Path) -> FoundCases:
    """Return the cases below a folder; those of the test set have no label.

    Raises:
        DatasetError: no such file is found.
    """
    files = {file.stem: file for file in sorted(require_folder(source).rglob("Case*.mhd"))}
    cases = [
        FoundCase(stem, (file,), (files[stem + _LABEL_MARK],) if stem + _LABEL_MARK in files else ())
        for stem, file in files.items()
        if not stem.endswith(_LABEL_MARK)
    ]
    return FoundCases(
        ("T2",),
        named_structures([("prostate", [1])]),
        require_cases(cases, source, "Case00.mhd and Case00_segmentation.mhd"),
    )
