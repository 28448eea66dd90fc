"""DICOM series and segmentations for the tests, as files."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def write_series(
    folder: Path, array, spacing, origin, direction, frame_of_reference: str = "", thickness: float | None = None
) -> list[FileDataset]:
    """Write an MR series of an array (z, y, x) and return its images in the order of z; direction must be right-handed."""
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.asarray(direction, float)
    common = {
        "SOPClassUID": MRImageStorage,
        "PatientName": "Test^Person",
        "PatientID": "1",
        "PatientBirthDate": "",
        "PatientSex": "O",
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "FrameOfReferenceUID": frame_of_reference or generate_uid(),
        "StudyDate": "20200101",
        "StudyTime": "120000",
        "StudyID": "1",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "Modality": "MR",
        "Manufacturer": "",
        "SeriesNumber": 1,
        "PositionReferenceIndicator": "",
        "Rows": array.shape[1],
        "Columns": array.shape[2],
        "PixelSpacing": [spacing[1], spacing[0]],
        "SliceThickness": spacing[2] if thickness is None else thickness,
        "ImageOrientationPatient": [*direction[:, 0], *direction[:, 1]],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "ImageType": ["ORIGINAL", "PRIMARY"],
    }
    files = []
    for index, plane in enumerate(np.asarray(array, np.int16)):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file = FileDataset(str(folder / f"{index:03d}.dcm"), {}, file_meta=meta, preamble=b"\x00" * 128)
        for name, value in common.items():
            setattr(file, name, value)
        file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        file.InstanceNumber = index + 1
        position = np.asarray(origin) + direction[:, 2] * spacing[2] * index
        file.ImagePositionPatient = [round(float(value), 9) for value in position]
        file.PixelData = plane.tobytes()
        file.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)
        files.append(file)
    return files


def write_dicom_segmentation(
    path: Path,
    series: Sequence[pydicom.Dataset],
    masks,
    names: Sequence[str],
    kind: str = "BINARY",
    keep_empty_frames: bool = False,
) -> Path:
    """Write a DICOM segmentation of masks (z, y, x, segments) on the grid of a series, with highdicom."""
    algorithm = highdicom.AlgorithmIdentificationSequence("hand", codes.DCM.ArtificialIntelligence, "1")
    segments = [
        highdicom.seg.SegmentDescription(
            index + 1, name, codes.SCT.Tissue, codes.SCT.Organ, "AUTOMATIC", algorithm_identification=algorithm
        )
        for index, name in enumerate(names)
    ]
    file = highdicom.seg.Segmentation(
        list(series),
        np.asarray(masks),
        kind,
        segments,
        generate_uid(),
        2,
        generate_uid(),
        1,
        "Test",
        "Test",
        "1",
        "1",
        omit_empty_frames=not keep_empty_frames,
    )
    file.ContentDate = datetime.date(2020, 1, 1).strftime("%Y%m%d")
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path)
    return path
