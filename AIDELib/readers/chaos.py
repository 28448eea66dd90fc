"""CHAOS challenge, T1-DUAL: PATIENT/T1DUAL/DICOM_anon/{InPhase,OutPhase} and PATIENT/T1DUAL/Ground (PNG slices)."""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.found_cases import FoundCase, FoundCases, require_cases, require_folder
from AIDELib.structure import Structure

STRUCTURES = (
    Structure("liver", (63,), (221, 130, 101)),
    Structure("right kidney", (126,), (185, 102, 83)),
    Structure("left kidney", (189,), (197, 165, 145)),
    Structure("spleen", (252,), (157, 108, 162)),
)


def read_chaos(source: Path) -> FoundCases:
    """Return the T1-DUAL cases of a CHAOS folder (Train_Sets/MR, a folder above it, or one patient's folder).

    Raises:
        DatasetError: the folder does not have this layout.
    """
    folders = sorted(path for path in require_folder(source).rglob("T1DUAL") if (path / "DICOM_anon").is_dir())
    cases = [_read_patient(folder) for folder in folders]
    return FoundCases(
        ("T1 in-phase", "T1 out-of-phase"),
        STRUCTURES,
        require_cases(cases, source, "PATIENT/T1DUAL/DICOM_anon/InPhase and OutPhase, PATIENT/T1DUAL/Ground"),
    )


def _read_patient(folder: Path) -> FoundCase:
    images = folder / "DICOM_anon"
    label = folder / "Ground"
    return FoundCase(folder.parent.name, (images / "InPhase", images / "OutPhase"), (label,) if label.is_dir() else ())
