"""Generated patients for the tests, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import save_dataset
from AIDELib.structure import Structure

REPOSITORY = Path(__file__).parents[2]

BALL = Structure("ball", (5,), (230, 30, 30))


def make_image(array, spacing=None, origin=None, direction=None) -> sitk.Image:
    """Return an image of an array (z, y, x) or (y, x)."""
    image = sitk.GetImageFromArray(np.asarray(array))
    if spacing is not None:
        image.SetSpacing(spacing)
    if origin is not None:
        image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(np.asarray(direction, float).ravel().tolist())
    return image


# Shape (z, y, x) and spacing (x, y, z) in mm of generated volumes.
FLAT = ((4, 22, 18), (1.0, 1.0, 4.0))
CUBES = ((16, 20, 18), (1.0, 1.0, 1.0))


def write_patient(folder: Path, name: str, seed: int, channels: int = 1, grid=FLAT) -> tuple[list[Path], Path]:
    """Write a noisy volume with a bright ball and its label (value 5), and return the files."""
    generator = np.random.default_rng(seed)
    shape, spacing = grid
    z, y, x = np.indices(shape)
    centre = generator.uniform(-3, 3, 2)
    mask = (y - 11 - centre[0]) ** 2 + (x - 9 - centre[1]) ** 2 + spacing[2] * (z - (shape[0] - 1) / 2) ** 2 < 20
    images = []
    for channel in range(channels):
        array = generator.normal(0, 0.4, shape) + mask * (1.5 - 0.5 * channel)
        images.append(folder / f"{name}_{channel}.nii.gz")
        sitk.WriteImage(make_image(array.astype(np.float32), spacing), str(images[-1]))
    label = folder / f"{name}_label.nii.gz"
    sitk.WriteImage(make_image((5 * mask).astype(np.uint8), spacing), str(label))
    return images, label


def write_dataset(folder: Path, qualities: str, channels: int = 1, test_cases: int = 1, grid=FLAT) -> Path:
    """Write a dataset whose training cases have these qualities (H, L or U each) and return its dataset.json."""
    kinds = {"H": LabelQuality.HQA, "L": LabelQuality.LQA, "U": LabelQuality.UNLABELLED}
    cases = []
    for index, letter in enumerate(qualities + "H" * test_cases):
        images, label = write_patient(folder, f"p{index}", index, channels, grid)
        quality = kinds[letter]
        split = Split.TRAIN if index < len(qualities) else Split.TEST
        given = None if quality is LabelQuality.UNLABELLED else label
        cases.append(Case(f"p{index}", tuple(images), given, quality, split))
    dataset = Dataset(tuple(f"channel {index}" for index in range(channels)), (BALL,), tuple(cases))
    path = folder / "dataset.json"
    save_dataset(dataset, path)
    return path
