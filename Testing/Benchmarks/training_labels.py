"""The labels of a finished training's cases, as arrays on the grid of the case's first channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from AIDELib.label import read_label
from AIDELib.method_name import network_count
from AIDELib.review import read_review
from AIDELib.run_folder import RunFolder
from AIDELib.volume import read_image
from Testing.Benchmarks.experiment import TrainingSet


@dataclass(frozen=True)
class TrainingLabels:
    """All labels of one case that the run did not trust: 0 the background, i + 1 the i-th structure, each (D, H, W).

    Attributes:
        case: its id.
        suspicion: as in the label review, 0 to 1.
        image: the first channel.
        given: what the training began with.
        suggested: what both networks together predicted in the end.
        current: what each network's label became; the given one for a network that never corrected it.
        true: None where it is not known.
    """

    case: str
    suspicion: float
    image: sitk.Image
    given: NDArray[np.integer]
    suggested: NDArray[np.integer]
    current: tuple[NDArray[np.integer], ...]
    true: NDArray[np.integer] | None


def read_training_labels(run: RunFolder, training_set: TrainingSet) -> Iterator[TrainingLabels]:
    """Yield the labels of each case that the run did not trust, the most suspect first."""
    cases = {case.id: case for case in training_set.dataset.cases}
    networks = range(1, network_count(run.read_description().method) + 1)
    for reviewed in read_review(run):
        if reviewed.suggestion is None:
            continue
        case = cases[reviewed.case]
        image = read_image(case.images[0])

        def read(path: Path, image: sitk.Image = image, channels: tuple[Path, ...] = case.images) -> np.ndarray:
            return sitk.GetArrayFromImage(read_label(path, training_set.dataset.structures, image, channels))

        given = read(run.path / reviewed.given)
        corrected = [run.corrected_folder / f"network{network}" / f"{case.id}.seg.nrrd" for network in networks]
        truth = training_set.truths.get(case.id)
        yield TrainingLabels(
            case=case.id,
            suspicion=reviewed.suspicion,
            image=image,
            given=given,
            suggested=read(run.path / reviewed.suggestion),
            current=tuple(read(path) if path.exists() else given for path in corrected),
            true=None if truth is None else read(truth),
        )
