"""Slicer's segmentation files (`.seg.nrrd`): segments with names and colours in one NRRD file."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.atomic_file import replacing
from AIDELib.errors import VolumeError
from AIDELib.grid import as_volume
from AIDELib.image_header import read_image_header
from AIDELib.nrrd_checksum import add_nrrd_checksum, nrrd_is_damaged
from AIDELib.structure import Structure
from AIDELib.volume import read_file

MOST_SEGMENTS = 1000
SEGMENTATION_ENDING = ".seg.nrrd"
# The tag of segments that a model drew; Slicer keeps it with the segment, in scenes and in files.
COMPUTED_TAG = "AIDE.Computed"
_TERMINOLOGY_TAG = "TerminologyEntry"
_STATUS_TAG, _COMPLETED, _FLAGGED = "Segmentation.Status", "completed", "flagged"


@dataclass(frozen=True)
class Segment:
    """One segment of a file.

    Attributes:
        name: as shown in Slicer.
        label_value: value of its voxels.
        layer: which of the file's layers holds it; segments of different layers may overlap.
    """

    name: str
    label_value: int
    layer: int


@dataclass(frozen=True)
class SegmentationFile:
    """A segmentation as stored.

    Attributes:
        grid: an image on the file's grid, of which only the geometry counts.
        layers: (L, Z, Y, X), numbers as stored.
        segments: in the file's order.
    """

    grid: sitk.Image
    layers: NDArray[Any]
    segments: tuple[Segment, ...]

    def mask(self, segment: Segment) -> NDArray[np.bool_]:
        """Return the voxels (Z, Y, X) of one segment."""
        return self.layers[segment.layer] == segment.label_value


def is_segmentation_file(path: Path) -> bool:
    """Return whether a path names a Slicer segmentation by its ending."""
    return path.name.lower().endswith(SEGMENTATION_ENDING)


def is_damaged_segmentation(path: Path) -> bool:
    """Return whether a file that AIDE wrote is no longer what it was; False for those of other programs, and for none."""
    try:
        return path.is_file() and nrrd_is_damaged(path)
    except OSError as error:
        raise VolumeError(f"{path} cannot be read: {error.strerror}.") from None


def is_unchecked(path: Path) -> bool:
    """Return whether nobody vouches for a label: a segment of a `.seg.nrrd` is flagged, or a model drew it and nobody marked
    it completed since. Only the header is read.

    Raises:
        VolumeError: a `.seg.nrrd` cannot be read.
    """
    if not is_segmentation_file(path):
        return False
    read_image_header(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return any(
        _is_doubtful(reader.GetMetaData(key))
        for key in reader.GetMetaDataKeys()
        if re.fullmatch(r"Segment\d+_Tags", key)
    )


def _is_doubtful(tags: str) -> bool:
    own = dict(tag.split(":", 1) for tag in tags.split("|") if ":" in tag)
    status = own.get(_STATUS_TAG)
    return status == _FLAGGED or (COMPUTED_TAG in own and status != _COMPLETED)


def read_segmentation(path: Path) -> SegmentationFile:
    """Read a `.seg.nrrd` file with one layer or several.

    Raises:
        VolumeError: the file cannot be read, was damaged since AIDE wrote it, or describes no segment.
    """
    if is_damaged_segmentation(path):
        raise VolumeError(
            f"{path} is damaged: its checksum does not fit its content. Take a copy of it, or write it anew."
        )
    image = read_file(path)
    header = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    indices = sorted(int(match[1]) for key in header if (match := re.fullmatch(r"Segment(\d{1,9})_Name", key)))
    if len(indices) > MOST_SEGMENTS:
        raise VolumeError(f"{path} describes {len(indices)} segments; at most {MOST_SEGMENTS} can be read.")
    if not indices:
        raise VolumeError(
            f"{path} describes no segments. Save it from Slicer as a segmentation, or name a label volume."
        )
    try:
        segments = tuple(
            Segment(
                header[f"Segment{index}_Name"],
                int(header.get(f"Segment{index}_LabelValue", index + 1)),
                int(header.get(f"Segment{index}_Layer", 0)),
            )
            for index in indices
        )
    except ValueError as error:
        raise VolumeError(f"{path} has a segment whose label value or layer is no number ({error}).") from None
    layers = _layers(image)
    for segment in segments:
        if not 0 <= segment.layer < len(layers):
            raise VolumeError(f"{path}: segment '{segment.name}' names layer {segment.layer} of {len(layers)}.")
    return SegmentationFile(_grid(image), layers, segments)


def write_segmentation(
    labels: sitk.Image, structures: Sequence[Structure], path: Path, tags: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Write a label map (0 background, i + 1 = structure i) as a `.seg.nrrd` with the structures' names and colours.

    Args:
        tags: what else every segment is to carry in Slicer, by the name of the tag.
    """
    image = sitk.Image(as_volume(labels))
    extent = " ".join(f"0 {size - 1}" for size in image.GetSize())
    header = {
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
    for index, structure in enumerate(structures):
        header |= {
            f"Segment{index}_ID": f"Segment_{index + 1}",
            f"Segment{index}_Name": structure.name,
            f"Segment{index}_NameAutoGenerated": "0",
            f"Segment{index}_Color": " ".join(f"{part / 255:.6f}" for part in structure.color),
            f"Segment{index}_ColorAutoGenerated": "0",
            f"Segment{index}_LabelValue": str(index + 1),
            f"Segment{index}_Layer": "0",
            f"Segment{index}_Extent": extent,
        }
        own = {_TERMINOLOGY_TAG: structure.terminology, **tags} if structure.terminology else tags
        if own:
            header[f"Segment{index}_Tags"] = "".join(f"{name}:{value}|" for name, value in own.items())
    for key, value in header.items():
        image.SetMetaData(key, value)
    with replacing(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
        # A full disk can cut the file short without an error of ITK's.
        written = sitk.ReadImage(str(temporary))
        if not np.array_equal(sitk.GetArrayViewFromImage(written), sitk.GetArrayViewFromImage(image)):
            raise OSError(errno.EIO, "the file written is not what was to be written; is the disk full?", str(path))
        add_nrrd_checksum(temporary)


def _layers(image: sitk.Image) -> NDArray[Any]:
    array = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        return np.moveaxis(array, -1, 0)
    return array if image.GetDimension() == 4 else array[np.newaxis]


def _grid(image: sitk.Image) -> sitk.Image:
    if image.GetDimension() == 4:
        image = sitk.Extract(image, [*image.GetSize()[:3], 0], [0, 0, 0, 0])
    grid = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    grid.CopyInformation(image)
    return grid
