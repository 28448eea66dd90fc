"""What a whole epoch costs, label pass included, by the number of slices."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from AIDELib.aide_method import AIDE
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.padding import EDGE_MULTIPLE
from AIDELib.settings import Settings
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.stage import Stage

SLICES_OF_A_CASE = 25


@dataclass(frozen=True)
class EpochCost:
    """What an epoch cost.

    Attributes:
        slices: of the training set.
        seconds: that it took.
        cpu_seconds: of computing; unlike the others they do not depend on what else the machine does.
    """

    slices: int
    seconds: float
    cpu_seconds: float


def measure_epochs(
    settings: Settings, edge: int, channels: int, structures: int, counts: Sequence[int], device: torch.device
) -> Iterator[EpochCost]:
    """Yield the cost of an epoch of AIDE after the warm-up, in which every slice comes once, for each number of slices.

    Args:
        edge: slice edge in pixels.
        counts: numbers of slices.
    """
    # What the first pass prepares is not part of any epoch.
    _measure(settings, edge, channels, structures, 2 * settings.batch_size, device)
    for count in counts:
        yield _measure(settings, edge, channels, structures, count, device)


def create_epoch(
    settings: Settings, edge: int, channels: int, structures: int, count: int, device: torch.device
) -> Stage:
    """Return a stage whose next epoch is the first after the warm-up, with cases of 25 noisy slices of a ball."""
    random = np.random.default_rng(settings.seed)
    cases = []
    for start in range(0, count, SLICES_OF_A_CASE):
        own = min(SLICES_OF_A_CASE, count - start)
        case = Case(f"c{start}", (Path("image"),) * channels, Path("label"), LabelQuality.LQA, Split.TRAIN)
        drawn = _made_up_labels(own, edge, structures, random)
        images = random.standard_normal((own, channels, edge, edge), np.float32) + 2 * (drawn > 0)[:, None]
        cases.append(CaseSlices(case, images.astype(np.float32), drawn))
    slices = SliceSet.build(cases, SliceStorage(device), (EDGE_MULTIPLE, EDGE_MULTIPLE))
    labels = slices.pad_labels([case.labels for case in cases if case.labels is not None])
    settings = settings.replace(iterations_per_epoch=0)
    stage = Stage(1, AIDE(settings), settings.warm_up_epochs + 2, slices, labels, structures)
    stage.epoch = settings.warm_up_epochs
    return stage


def _made_up_labels(slices: int, edge: int, structures: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return labels (Z, H, W) of a ball somewhere, cut into structures side by side."""
    rows, columns = np.indices((edge, edge)) / edge - random.uniform(0.4, 0.6, (2, 1, 1))
    depth = np.linspace(-0.5, 0.5, slices)[:, None, None]
    stripes = 1 + np.arange(edge) * structures // edge
    return np.where(rows**2 + columns**2 + depth**2 / 4 < random.uniform(0.03, 0.06), stripes, 0).astype(np.uint8)


def _measure(
    settings: Settings, edge: int, channels: int, structures: int, count: int, device: torch.device
) -> EpochCost:
    stage = create_epoch(settings, edge, channels, structures, count, device)
    wall, cpu = time.perf_counter(), time.process_time()
    # The agreements at the end of the epoch are read from the device, so that nothing is left to wait for.
    stage.run_epoch(lambda done, total: None)
    return EpochCost(count, time.perf_counter() - wall, time.process_time() - cpu)
