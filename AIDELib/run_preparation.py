"""A run made ready to be trained, here or on another machine."""

from __future__ import annotations

from AIDELib.case import Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import dataset_document
from AIDELib.errors import DatasetError, RunError
from AIDELib.method_name import MethodName, learned_qualities
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.sealed_document import write_sealed
from AIDELib.standardization import Standardization, standardize
from AIDELib.watched_folder import Status


def prepare_run(dataset: Dataset, run: RunFolder, description: RunDescription) -> Standardization:
    """Make the run folder of a new run and return what will happen in it.

    Raises:
        DatasetError: the dataset cannot be trained on, see `require_trainable`.
        RunError: the folder holds a run already or cannot be written.
    """
    standardization = require_trainable(dataset, description)
    run.create(description)
    try:
        write_sealed(run.dataset_file, dataset_document(dataset, run.path.absolute()))
        run.write_state(Status.PREPARED, statement=standardization.statement)
    except OSError as error:
        raise RunError(f"The run folder {run.path} cannot be written: {error.strerror}.") from None
    return standardization


def require_trainable(dataset: Dataset, description: RunDescription) -> Standardization:
    """Refuse a dataset that such a run cannot be made of; return what would happen in it. No file is looked at.

    Raises:
        DatasetError: the dataset has no labelled training case, none of the quality that a method needs, or no labelled
            test case though the model is to be evaluated.
    """
    standardization = standardize(dataset.select(Split.TRAIN), description.task)
    for method in (description.method, description.baseline):
        if method is not None:
            _require_cases_for(method, dataset)
    if description.evaluate and not any(case.label for case in dataset.select(Split.TEST)):
        raise DatasetError(
            "There is no labelled test case to measure the model with. Put some labelled cases into split test, or train "
            "without evaluation."
        )
    return standardization


def _require_cases_for(method: MethodName, dataset: Dataset) -> None:
    qualities = learned_qualities(method)
    if not any(case.quality in qualities for case in dataset.select(Split.TRAIN)):
        raise DatasetError(
            f"The method '{method.value}' learns from HQA cases only, and no training case has that quality. "
            "Mark the best-labelled cases as HQA, or choose another method."
        )
