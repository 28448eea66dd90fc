"""Which public layout a folder of cases has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from AIDELib.dataset_file import FORMAT

DATASET_FILE = "dataset.json"


def ownDatasetFile(path: Path) -> Path | None:
    """Return the dataset.json of this project that a path names or holds, None for none."""
    file = path / DATASET_FILE if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return file if isinstance(document, dict) and document.get("format") == FORMAT else None


def guessLayout(folder: Path) -> str:
    """Return the name in AIDELib.readers.LAYOUTS of the layout that a folder seems to have; 'folder' for any other."""
    images = folder / "imagesTr"
    if (folder / DATASET_FILE).is_file() and images.is_dir():
        numbered = any(re.search(r"_\d{4}\.[^\d]+$", file.name) for file in images.iterdir())
        return "nnunet" if numbered else "decathlon"
    if any(path.is_dir() for path in folder.glob("T1DUAL")) or any(folder.glob("*/T1DUAL")):
        return "chaos"
    if any(folder.glob("*_segmentation.mhd")):
        return "promise12"
    if any(folder.glob("case*/task*_seg*.nii.gz")):
        return "qubiq"
    return "folder"
