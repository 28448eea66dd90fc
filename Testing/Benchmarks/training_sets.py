"""The training situations of the paper, made from a set of cases that are all well labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.label import read_label
from AIDELib.structure import Structure
from AIDELib.volume import read_image
from Testing.Benchmarks.domain_shift import DomainShift
from Testing.Benchmarks.experiment import Preparation, TrainingSet
from Testing.Benchmarks.label_corruption import Corruption, Severity, corrupt

# Whoever tests on the last patients and draws the training cases from the others never mixes the two.
SHIFT_OF_TEST_CASES = 10_000


def semi_supervised(labelled: int, unlabelled: int, tests: int) -> Preparation:
    """Return the preparation of a few HQA cases and many unlabelled ones."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        drawn, test = draw_cases(source, labelled + unlabelled, tests, seed)
        cases = [*drawn[:labelled], *(without_label(case) for case in drawn[labelled:])]
        return TrainingSet(replace(source, cases=(*cases, *test)), truths_of(drawn))

    return prepare


def noisy_labels(count: int, share: float, severity: Severity, tests: int) -> Preparation:
    """Return the preparation of labels a share of which is corrupted, each kind of corruption as often as the others."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        drawn, test = draw_cases(source, count, tests, seed)
        corrupted_count = round(share * count)
        kinds = [list(Corruption)[position % len(Corruption)] for position in range(corrupted_count)]
        generator = np.random.default_rng([seed, 1])
        order = generator.permutation(corrupted_count)
        corrupted = [
            _with_corrupted_label(case, source.structures, kinds[order[position]], severity, folder, generator)
            for position, case in enumerate(drawn[:corrupted_count])
        ]
        cases = [replace(case, quality=LabelQuality.LQA) for case in (*corrupted, *drawn[corrupted_count:])]
        dataset = replace(source, cases=(*cases, *test))
        return TrainingSet(dataset, truths_of(drawn), frozenset(case.id for case in corrupted))

    return prepare


def shifted_domain(labelled: int, unlabelled: int, shift: DomainShift, tests: int) -> Preparation:
    """Return the preparation of a labelled source domain and an unlabelled, shifted one that the test cases belong to."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        drawn, test = draw_cases(source, labelled + unlabelled, tests, seed)
        home = [replace(case, domain="source") for case in drawn[:labelled]]
        away = [
            without_label(_shifted(case, shift, folder, np.random.default_rng([seed, position])))
            for position, case in enumerate(drawn[labelled:])
        ]
        shifted_test = [
            _shifted(case, shift, folder, np.random.default_rng([SHIFT_OF_TEST_CASES, position]))
            for position, case in enumerate(test)
        ]
        return TrainingSet(replace(source, cases=(*home, *away, *shifted_test)), truths_of(drawn))

    return prepare


def draw_cases(source: Dataset, count: int, tests: int, seed: int) -> tuple[list[Case], list[Case]]:
    """Return training cases drawn by the seed, and the test cases, which are the last patients' for every seed.

    Raises:
        DatasetError: there are too few cases.
    """
    labelled = [case for case in source.cases if case.label is not None]
    if count + tests > len(labelled):
        raise DatasetError(
            f"{count} training and {tests} test cases are needed, but only {len(labelled)} are labelled."
        )
    pool, held_out = labelled[:-tests], labelled[-tests:]
    order = np.random.default_rng([seed, 0]).permutation(len(pool))[:count]
    test = [replace(case, quality=LabelQuality.HQA, split=Split.TEST) for case in held_out]
    return [replace(pool[index], quality=LabelQuality.HQA, split=Split.TRAIN) for index in order], test


def without_label(case: Case) -> Case:
    """Return an unlabelled case of the same images."""
    return replace(case, label=None, quality=LabelQuality.UNLABELLED, rater_labels=())


def truths_of(cases: Sequence[Case]) -> dict[str, Path]:
    """Return the label files of cases by case id."""
    return {case.id: case.label for case in cases if case.label is not None}


def _with_corrupted_label(
    case: Case,
    structures: Sequence[Structure],
    kind: Corruption,
    severity: Severity,
    folder: Path,
    generator: np.random.Generator,
) -> Case:
    image = read_image(case.images[0])
    assert case.label is not None
    label = read_label(case.label, structures, image, case.images)
    drawn = sitk.GetArrayFromImage(label)
    corrupted = corrupt(drawn.reshape(-1, *drawn.shape[-2:]), kind, severity, generator).reshape(drawn.shape)
    # In label files a structure has its own value.
    values = np.array([0, *(structure.values[0] for structure in structures)])
    return replace(case, label=_write(values[corrupted].astype(np.uint16), image, folder / f"{case.id}.nii.gz"))


def _shifted(case: Case, shift: DomainShift, folder: Path, generator: np.random.Generator) -> Case:
    paths = []
    for channel, path in enumerate(case.images):
        image = read_image(path)
        shifted = shift.apply(sitk.GetArrayFromImage(image), generator)
        paths.append(_write(shifted, image, folder / f"{case.id}-{channel}.nii.gz"))
    return replace(case, images=tuple(paths), domain="target")


def _write(array: np.ndarray, like: sitk.Image, path: Path) -> Path:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(like)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path), useCompression=True)
    return path
