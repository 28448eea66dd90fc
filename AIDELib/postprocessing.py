"""Post-processing of a predicted label map: the largest connected component of each structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest component of a 2D or 3D mask, voxels joined by faces; of equals the first in array order."""
    components, count = ndimage.label(mask)
    if count <= 1:
        return mask
    return components == 1 + int(np.argmax(np.bincount(components.ravel())[1:]))


def keep_largest_components(labels: NDArray[np.uint8], structure_count: int) -> NDArray[np.uint8]:
    """Return a label map with each structure's largest component alone, the rest background.

    Args:
        labels: 2D or 3D; 0 background, i + 1 = structure i.
    """
    kept = np.zeros_like(labels)
    for index, box in enumerate(ndimage.find_objects(labels, max_label=structure_count)):
        if box is not None:
            kept[box][largest_component(labels[box] == index + 1)] = index + 1
    return kept
