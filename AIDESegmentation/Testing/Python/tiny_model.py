"""A model small enough to be trained within a test, which finds two bright organs."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import save_dataset
from AIDELib.structure import Structure
from AIDESlicer.background_process import LIBRARY_FOLDER, processEnvironment, pythonExecutable

TERMINOLOGY = "list~SCT^85756007^Tissue~SCT^10200004^Liver~^^~Anatomic codes~^^~^^"
LIVER = Structure("liver", (1,), (221, 130, 101), TERMINOLOGY)
SPLEEN = Structure("spleen", (2,), (157, 108, 162), "")
SETTINGS = (
    "network_width=4",
    "slice_size=32",
    "batch_size=8",
    "iterations_per_epoch=90",
    "pretraining_epochs=1",
    "learning_rate=0.01",
    "averaging=0",
    "ensemble=false",
)
SIZE = (32, 32, 12)


def bodyWithOrgans(size: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image (Z, Y, X) with a bright liver and a grey spleen on black, and its labels."""
    random = np.random.default_rng(seed)
    z, y, x = np.indices(size[::-1]) / np.array(size[::-1]).reshape(3, 1, 1, 1)
    shift = random.uniform(-0.05, 0.05, 3)
    labels = np.zeros(size[::-1], np.uint8)
    flat = size[2] == 1
    for value, (height, width), radius in ((1, (0.35, 0.35), 0.22), (2, (0.7, 0.68), 0.16)):
        distance = ((y - height - shift[1]) / radius) ** 2 + ((x - width - shift[2]) / radius) ** 2
        if not flat:
            distance += ((z - 0.45 - shift[0]) / (1.6 * radius)) ** 2
        labels[distance < 1] = value
    image = np.array([10.0, 200.0, 100.0])[labels] + random.normal(0, 8, labels.shape)
    return image.astype(np.int16), labels


@functools.cache
def tinyModel(channelCount: int = 1) -> Path:
    """Return the file of a trained model; trained once per run of the tests, in a process as the module starts them."""
    folder = Path(tempfile.mkdtemp(prefix="AIDE-tiny-"))
    names = ("T1", "T2")[:channelCount]
    cases = []
    for seed in range(4):
        image, labels = bodyWithOrgans(SIZE, seed)
        files = tuple(folder / f"{seed}_{name}.nrrd" for name in names)
        for file in files:
            _write(image, file)
        _write(labels, folder / f"{seed}_label.nrrd")
        cases.append(Case(f"case{seed}", files, folder / f"{seed}_label.nrrd", LabelQuality.HQA, Split.TRAIN))
    save_dataset(Dataset(names, (LIVER, SPLEEN), tuple(cases)), folder / "dataset.json")
    settings = [text for setting in SETTINGS for text in ("--set", setting)]
    run = folder / "run"
    subprocess.run(
        [
            *(pythonExecutable(), "-m", "AIDELib", "train", str(folder / "dataset.json"), "--run", str(run)),
            *("--preset", "quick", "--method", "supervised", "--epochs", "1", "--device", "cpu", *settings),
        ],
        cwd=LIBRARY_FOLDER,
        # So small a network is slower on several threads, above all where other tests run beside it.
        env=processEnvironment() | {"OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    model = folder / ("liver and spleen.aide" if channelCount == 1 else "two channels.aide")
    shutil.move(run / "model.aide", model)
    return model


def _write(array: np.ndarray, path: Path) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((2.0, 2.0, 4.0))
    sitk.WriteImage(image, str(path))
