"""Label maps brought from one grid onto another."""

from __future__ import annotations

import numpy as np
import vtk
from numpy.typing import NDArray

from AIDESlicer.index_image import arrayFromImage, imageFromArray, resampled
from AIDESlicer.placement import Placement, indexOffset, indexTransform


def labelsOnGrid(
    labels: NDArray[np.generic], source: Placement, target: Placement, size: tuple[int, int, int]
) -> NDArray[np.generic]:
    """Return labels on another grid, 0 where they do not reach.

    Args:
        labels: (Z, Y, X) on the source grid.
        size: voxels of the target grid along I, J, K.

    Returns:
        (Z, Y, X): exactly the same voxels where those of both grids coincide, else the nearest ones.
    """
    offset = indexOffset(source, target)
    if offset is not None:
        return _shifted(labels, (offset[2], offset[1], offset[0]), (size[2], size[1], size[0]))
    image = resampled(
        imageFromArray(labels), indexTransform(target, source), size, vtk.VTK_NEAREST_INTERPOLATION, background=0
    )
    return arrayFromImage(image)


def _shifted(
    labels: NDArray[np.generic], offset: tuple[int, int, int], shape: tuple[int, int, int]
) -> NDArray[np.generic]:
    """Return labels moved by whole voxels into an array of another shape."""
    if offset == (0, 0, 0) and labels.shape == shape:
        return labels
    moved = np.zeros(shape, labels.dtype)
    start = [max(shift, 0) for shift in offset]
    stop = [min(count + shift, limit) for count, shift, limit in zip(labels.shape, offset, shape, strict=True)]
    if all(first < last for first, last in zip(start, stop, strict=True)):
        inside = tuple(slice(first, last) for first, last in zip(start, stop, strict=True))
        taken = tuple(slice(part.start - shift, part.stop - shift) for part, shift in zip(inside, offset, strict=True))
        moved[inside] = labels[taken]
    return moved
