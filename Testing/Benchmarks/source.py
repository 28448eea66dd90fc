"""The labelled cases that an experiment draws from."""

from __future__ import annotations

from pathlib import Path

from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError
from AIDELib.readers import LAYOUTS
from AIDELib.readers.selection import Selection, select_cases
from Testing.Benchmarks.experiment import Experiment


def read_source(experiment: Experiment, data: Path) -> Dataset:
    """Return all cases of an experiment's source with their labels.

    Args:
        data: the folder of public data sets, or any dataset.json instead.

    Raises:
        DatasetError: there are no such files.
    """
    if data.suffix == ".json":
        return load_dataset(data)
    folder = data / experiment.source
    if not folder.is_dir():
        raise DatasetError(f"The experiment '{experiment.name}' needs the folder {folder}, which is not there.")
    return select_cases(LAYOUTS[experiment.layout].read(folder), Selection(**experiment.options))
