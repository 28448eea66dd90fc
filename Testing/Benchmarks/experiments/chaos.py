"""Experiment 5: two channels against each one alone, within one patient: a demonstration, not a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk

from AIDELib.case import LabelQuality, Split
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from Testing.Benchmarks.experiment import Experiment, Preparation, Scenario, TrainingSet
from Testing.Benchmarks.experiments import arms

# Neighbouring slices are alike: whole blocks are held out, not single slices.
BLOCKS = 6


def channels_of_one_case(channels: Sequence[int]) -> Preparation:
    """Return the preparation of one case cut across its slices into blocks: HQA, unlabelled and test in turn."""

    def prepare(source: Dataset, folder: Path, seed: int) -> TrainingSet:
        case = source.cases[0]
        volumes = read_case(case, source)
        assert volumes.label is not None
        structures = tuple(replace(structure, values=(index + 1,)) for index, structure in enumerate(source.structures))
        depth = volumes.label.GetSize()[2]
        cases, truths = [], {}
        for block in range(BLOCKS):
            start, stop = depth * block // BLOCKS, depth * (block + 1) // BLOCKS
            images = [volumes.channels[channel][:, :, start:stop] for channel in channels]
            paths = [_write(image, folder / f"block{block}-{index}.nii.gz") for index, image in enumerate(images)]
            label = _write(volumes.label[:, :, start:stop], folder / f"block{block}-label.nii.gz")
            use = (block + seed) % 3
            part = replace(case, id=f"block{block}", patient=f"block{block}", images=tuple(paths), label=label)
            part = replace(part, quality=LabelQuality.HQA, split=Split.TEST if use == 2 else Split.TRAIN)
            cases.append(replace(part, label=None, quality=LabelQuality.UNLABELLED) if use == 1 else part)
            truths[part.id] = label
        names = tuple(source.channels[channel] for channel in channels)
        return TrainingSet(Dataset(names, structures, tuple(cases)), truths)

    return prepare


def _write(image: sitk.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path), useCompression=True)
    return path


EXPERIMENT = Experiment(
    name="chaos",
    title="CHAOS case 37: two channels against each one alone (a demonstration within one patient)",
    question="Blocks of slices of one abdomen are labelled, unlabelled and held out in turn. What it shows holds for this "
    "patient only.",
    source="chaos",
    layout="chaos",
    scenarios=(
        Scenario("both channels", channels_of_one_case((0, 1))),
        Scenario("in-phase alone", channels_of_one_case((0,))),
        Scenario("out-of-phase alone", channels_of_one_case((1,))),
    ),
    arms=(arms.SUPERVISED_LONGER, arms.AIDE_STANDARD),
    candidate=arms.AIDE_STANDARD.name,
    changes={"batch_size": 4, "iterations_per_epoch": 30},
    seeds=3,
)
