"""Scenes and helpers that the tests of the module share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import qt
import slicer
import vtk

SHAPE = (4, 24, 20)
# Seconds that a training of tiny settings may take on a slow machine.
PATIENCE = 240

TINY = {
    "slice_size": 32,
    "network_width": 2,
    "epochs": 3,
    "pretraining_epochs": 2,
    "iterations_per_epoch": 4,
    "batch_size": 4,
    "warm_up_epochs": 2,
    "correction_first_epoch": 2,
    "correction_interval": 1,
    "correction_share": 0.5,
}


def addVolume(name: str, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> vtk.vtkObject:
    """Add a noisy volume with a bright ball, 1 x 1 x 4 mm, off the origin."""
    matrix = np.diag([-1.0, -1.0, 4.0, 1.0])
    matrix[:3, 3] = 30, 40, -20
    array = np.random.default_rng(seed).normal(0, 0.4, shape) + 1.5 * ball(seed, shape)
    return slicer.util.addVolumeFromArray((100 * array).astype(np.int16), matrix, name)


def ball(seed: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Return a ball (z, y, x) whose place depends on the seed."""
    centre = np.random.default_rng(1000 + seed).uniform(-3, 3, 2)
    z, y, x = np.indices(shape)
    return (
        (y - shape[1] / 2 - centre[0]) ** 2 + (x - shape[2] / 2 - centre[1]) ** 2 + 4 * (z - (shape[0] - 1) / 2) ** 2
    ) < 20


def addSegmentation(
    volume: vtk.vtkObject, mask: np.ndarray, name: str = "", segment: str = "liver", status: int | None = None
) -> vtk.vtkObject:
    """Add a segmentation of a volume with one segment."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name or f"{volume.GetName()} segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    identifier = node.GetSegmentation().AddEmptySegment("", segment, [0.8, 0.4, 0.2])
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, identifier, volume)
    if status is not None:
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetSegmentStatus(node.GetSegmentation().GetSegment(identifier), status)
    return node


def addPatients(good: int, rough: int, unlabelled: int) -> None:
    """Add patients to the scene: segmentations that are completed, flagged (moved and too small), and missing."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    for index in range(good + rough + unlabelled):
        volume = addVolume(f"patient {index}", index)
        if index < good:
            addSegmentation(volume, ball(index), status=logic.Completed)
        elif index < good + rough:
            addSegmentation(volume, np.roll(ball(index), 3, axis=1), status=logic.Flagged)


def waitFor(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
    """Let the application work until a condition holds, and return the longest time that it did not answer, in seconds.

    Raises:
        AssertionError: it does not hold in time.
    """
    started = time.monotonic()
    last, longest = _ownTime(), 0.0
    while not condition():
        slicer.app.processEvents()
        time.sleep(0.01)
        now = _ownTime()
        longest, last = max(longest, now - last), now
        if time.monotonic() - started > patience:
            raise AssertionError(f"{what} did not happen within {patience} s")
    return max(longest, _ownTime() - last)


def _ownTime() -> float:
    """Return the time in seconds, less what this thread waited for a processor that others used, where that is known."""
    try:
        waited = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        waited = 0.0
    return time.monotonic() - waited


def openPanel() -> object:
    """Open the module and return its widget object, with the dataset empty and no run chosen.

    In Slicer the panel outlives a test: the table is sorted as it was by the one before, and the devices, for which it asks
    once, are asked for again.
    """
    slicer.util.selectModule("AIDETraining")
    module = slicer.util.getModuleWidget("AIDETraining")
    widgets(module, "DatasetSection").casesTable.sortByColumn(0, qt.Qt.AscendingOrder)
    widgets(module, "TrainingSection").refreshDevicesButton.click()
    return module


def widgets(module: object, section: str) -> object:
    """Return the widgets of DatasetSection, TrainingSection, ReviewSection or ResultsSection."""
    return module.panel.widgets(section)
