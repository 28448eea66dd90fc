"""Readers of public folder layouts, one file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from AIDELib.readers.chaos import read_chaos
from AIDELib.readers.decathlon import read_decathlon
from AIDELib.readers.folder import read_folder
from AIDELib.readers.found_cases import FoundCases
from AIDELib.readers.nci_isbi_2013 import read_nci_isbi_2013
from AIDELib.readers.nnunet import read_nnunet
from AIDELib.readers.promise12 import read_promise12
from AIDELib.readers.qubiq import read_qubiq


@dataclass(frozen=True)
class Layout:
    """A folder layout that can be imported.

    Attributes:
        help: what it looks like, for the user.
        read: folder -> cases.
    """

    help: str
    read: Callable[[Path], FoundCases]


LAYOUTS = {
    "folder": Layout("images/NAME.ext with labels/NAME.ext, or NAME.ext with NAME_label.ext", read_folder),
    "decathlon": Layout("Medical Segmentation Decathlon task", read_decathlon),
    "nnunet": Layout("nnU-Net raw folder (dataset.json, imagesTr/CASE_0000.ext, labelsTr)", read_nnunet),
    "chaos": Layout("CHAOS T1-DUAL (PATIENT/T1DUAL/DICOM_anon, PATIENT/T1DUAL/Ground)", read_chaos),
    "nci-isbi-2013": Layout("NCI-ISBI 2013 prostate (DICOM folders, NRRD labels)", read_nci_isbi_2013),
    "promise12": Layout("PROMISE12 prostate (CaseNN.mhd, CaseNN_segmentation.mhd)", read_promise12),
    "qubiq": Layout("QUBIQ (caseNN/image.nii.gz, caseNN/task01_segNN.nii.gz)", read_qubiq),
}
