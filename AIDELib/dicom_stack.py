"""Whether the images of a DICOM series are one stack of evenly spaced slices, which is all that a volume can hold.

ITK puts the slices of a series at equal distances between the first and the last, wherever they were taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.errors import VolumeError
from AIDELib.image_header import reason

_POSITION_TAG, _ORIENTATION_TAG = "0020|0032", "0020|0037"
# Of the distance between slices.
_JITTER = 0.01
# Headers that round to a decimal of a millimetre: this much, but never a share of the distance that could be a fault.
_ROUNDING_MM, _ROUNDING = 0.1, 0.1
_ROUNDING_OF_COSINES = 2e-3
# Of the largest distance.
_SAME_PLACE = 1e-3


def require_even_stack(files: Sequence[Path]) -> None:
    """Refuse a series whose images do not stand one behind the other at equal distances.

    A series whose images do not tell their positions is let through; so is a single file, which may hold many frames.

    Args:
        files: one image each, in the order in which they are to be read.

    Raises:
        VolumeError: slices are missing, double, turned or shifted sideways.
    """
    if len(files) < 2:
        return
    placed = {file: place for file in files if (place := _place(file)) is not None}
    if not placed:
        return
    if len(placed) < len(files):
        lost = next(file for file in files if file not in placed)
        raise VolumeError(
            f"{lost} does not tell its position, but other images of its DICOM series do. Take it out of the folder."
        )
    positions = np.array([position for position, _ in placed.values()])
    orientations = np.array([orientation for _, orientation in placed.values()])
    _require_one_orientation(files, orientations)
    normal = np.cross(orientations[0, 0], orientations[0, 1])
    heights = positions @ normal
    order = np.argsort(heights, kind="stable")
    stack = [files[index] for index in order]
    distance = _require_equal_steps(stack, heights[order])
    _require_no_shift(stack, positions[order], normal, distance)


def _require_one_orientation(files: Sequence[Path], orientations: NDArray[np.float64]) -> None:
    """Refuse images (N, 2, 3) of which one is turned against the first."""
    turned = np.abs(orientations - orientations[0]).max(axis=(1, 2)) > _ROUNDING_OF_COSINES
    if turned.any():
        other = files[int(np.argmax(turned))]
        raise VolumeError(
            f"{files[0].parent}: the images {files[0].name} and {other.name} of one DICOM series are turned against each "
            "other (a localizer, or a radial acquisition?), so that they are no volume. Name a series of parallel slices."
        )


def _require_equal_steps(stack: Sequence[Path], heights: NDArray[np.float64]) -> float:
    """Refuse heights (N,) in mm, ascending, whose steps are zero or differ; return the step."""
    steps = np.diff(heights)
    folder = stack[0].parent
    double = np.flatnonzero(steps <= _SAME_PLACE * steps.max())
    if len(double):
        index = int(double[0])
        raise VolumeError(
            f"{folder}: {len(double)} of {len(stack)} images of the DICOM series stand where another one stands, such as "
            f"{stack[index].name} and {stack[index + 1].name} at {heights[index]:.2f} mm along the stack. The series holds "
            "several acquisitions, echoes or points in time: put the images of each into a folder of its own."
        )
    distance = median(steps.tolist())
    allowed = max(_JITTER * distance, min(_ROUNDING_MM, _ROUNDING * distance))
    uneven = np.flatnonzero(np.abs(steps - distance) > allowed)
    if len(uneven):
        places = "; ".join(
            f"{stack[index].name} at {heights[index]:.2f} mm and {stack[index + 1].name} at {heights[index + 1]:.2f} mm"
            for index in map(int, uneven[:3])
        )
        raise VolumeError(
            f"{folder}: the slices of the DICOM series are not equally far apart: mostly {distance:.4g} mm, but not "
            f"{places}{' …' if len(uneven) > 3 else ''}. Fetch the slices that are missing, or leave only an evenly spaced "
            "part of them in the folder."
        )
    return distance


def _require_no_shift(
    stack: Sequence[Path], positions: NDArray[np.float64], normal: NDArray[np.float64], distance: float
) -> None:
    """Refuse positions (N, 3) in mm that leave the line along the normal."""
    ways = positions - positions[0]
    sideways = np.linalg.norm(ways - np.outer(ways @ normal, normal), axis=1)
    farthest = int(np.argmax(sideways))
    # As much as rounded cosines shift a slice that far away.
    allowed = _JITTER * abs(float(ways[farthest] @ normal)) + min(_ROUNDING_MM, _ROUNDING * distance)
    if sideways[farthest] > allowed:
        raise VolumeError(
            f"{stack[0].parent}: the slice {stack[farthest].name} of the DICOM series stands {sideways[farthest]:.2f} mm "
            f"beside {stack[0].name}, not behind it (a tilted gantry?), which a volume cannot hold. Load the series into 3D "
            "Slicer, which straightens it, and save it as a volume."
        )


def _place(file: Path) -> tuple[list[float], NDArray[np.float64]] | None:
    """Return the position in mm, and the directions (2, 3) of rows and columns; None where the file does not tell."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
        texts = [reader.GetMetaData(tag) for tag in (_POSITION_TAG, _ORIENTATION_TAG) if reader.HasMetaDataKey(tag)]
    except RuntimeError as error:
        raise VolumeError(f"{file} cannot be read as a DICOM image ({reason(error)}). Is it complete?") from None
    if len(texts) < 2:
        return None
    try:
        position, cosines = ([float(number) for number in text.split("\\")] for text in texts)
        directions = np.array(cosines).reshape(2, 3)
        normal = np.cross(*directions)
        if len(position) != 3 or not all(map(math.isfinite, position)) or not 0.99 < np.linalg.norm(normal) < 1.01:
            raise ValueError
    except ValueError:
        raise VolumeError(
            f"{file} tells a position or directions in space that cannot be (ImagePositionPatient {texts[0][:60]!r}, "
            f"ImageOrientationPatient {texts[1][:100]!r}). Is it damaged?"
        ) from None
    return position, directions
