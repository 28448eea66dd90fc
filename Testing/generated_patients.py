"""Patients made up for the demonstration: two-channel volumes with a large and a small organ of varying shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.structure import Structure

SHAPE = (10, 72, 80)
SPACING = (1.5, 1.5, 5.0)
STRUCTURES = (Structure("liver", (1,), (221, 130, 101)), Structure("spleen", (2,), (157, 108, 162)))
CHANNELS = ("in-phase", "out-of-phase")


def write_generated_patients(folder: Path, good: int, rough: int, unlabelled: int, test: int, seed: int) -> Dataset:
    """Write patients with labels of different quality and return their dataset.

    Rough labels are smoothed, moved and lack slices, as labels drawn in a hurry do.
    """
    random = np.random.default_rng(seed)
    plan = (
        [(LabelQuality.HQA, Split.TRAIN)] * good
        + [(LabelQuality.LQA, Split.TRAIN)] * rough
        + [(LabelQuality.UNLABELLED, Split.TRAIN)] * unlabelled
        + [(LabelQuality.HQA, Split.TEST)] * test
    )
    cases = []
    for index, (quality, split) in enumerate(plan):
        name = f"patient{index + 1:02d}"
        labels = _draw_labels(random)
        images = tuple(folder / f"{name}_{channel}.nii.gz" for channel in CHANNELS)
        for channel, path in enumerate(images):
            _write(_draw_image(labels, channel, random), path)
        label = None
        if quality is not LabelQuality.UNLABELLED:
            label = folder / f"{name}_label.nii.gz"
            _write(_roughen(labels, random) if quality is LabelQuality.LQA else labels, label)
        cases.append(Case(name, images, label, quality, split))
    return Dataset(CHANNELS, STRUCTURES, tuple(cases))


def _draw_labels(random: np.random.Generator) -> np.ndarray:
    z, y, x = np.indices(SHAPE).astype(float)
    warp = [ndimage.gaussian_filter(random.standard_normal(SHAPE), (2, 7, 7)) * 60 for _ in range(2)]
    y, x = y + warp[0], x + warp[1]
    labels = np.zeros(SHAPE, np.uint8)
    for value, (height, width), (radius_z, radius_y, radius_x) in (
        (1, (34, 26), (4.5, 17, 15)),
        (2, (42, 58), (3.5, 9, 8)),
    ):
        shift = random.normal(0, (0.5, 2, 2))
        scale = random.uniform(0.85, 1.15)
        distance = (
            ((z - 4.5 - shift[0]) / radius_z) ** 2
            + ((y - height - shift[1]) / radius_y) ** 2
            + ((x - width - shift[2]) / radius_x) ** 2
        )
        labels[(distance < scale**2) & (labels == 0)] = value
    return labels


def _draw_image(labels: np.ndarray, channel: int, random: np.random.Generator) -> np.ndarray:
    _, y, x = np.indices(SHAPE).astype(float)
    body = ((y - 36) / 33) ** 2 + ((x - 40) / 37) ** 2 < 1
    brightness = ((0.55, 0.95, 0.75), (0.6, 0.7, 0.95))[channel]
    image = np.where(body, brightness[0], 0.05)
    image[labels == 1] = brightness[1]
    image[labels == 2] = brightness[2]
    texture = ndimage.gaussian_filter(random.standard_normal(SHAPE), (1, 2, 2)) * 0.9
    field = 1 + 0.25 * np.sin(y / 30 + random.uniform(0, 6)) * np.cos(x / 35 + random.uniform(0, 6))
    noise = random.normal(0, 0.07, SHAPE)
    return (1000 * np.abs(field * (image + texture * body) + noise)).astype(np.float32)


def _roughen(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    rough = ndimage.shift(labels, (0, *random.normal(0, 3, 2)), order=0)
    rough = np.where(ndimage.binary_opening(rough > 0, iterations=int(random.integers(1, 4))), rough, 0)
    rough[random.random(SHAPE[0]) < 0.2] = 0
    return rough.astype(np.uint8)


def _write(array: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(path), useCompression=True)
