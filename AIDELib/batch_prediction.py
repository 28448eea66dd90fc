"""A prediction job done: one model, many examinations; one that fails does not stop the others."""

from __future__ import annotations

import os

import numpy as np
import SimpleITK as sitk

from AIDELib.case_volumes import read_channels
from AIDELib.device import choose_device, describe_device
from AIDELib.errors import AIDEError, VolumeError, describe_os_error
from AIDELib.model import load_model
from AIDELib.model_description import ModelDescription
from AIDELib.prediction_files import check_output, require_other_files, write_labels, write_probabilities
from AIDELib.prediction_job import JobFolder, PredictionJob, PredictionTask
from AIDELib.predictor import Predictor
from AIDELib.progress import Listener, Progress, StopRequested
from AIDELib.watched_folder import Request, Status


def predict_batch(folder: JobFolder, listener: Listener = lambda event: None) -> int:
    """Do a prediction job and return the number of tasks that failed.

    Each result is an event "segmented" {"name", "output", "volumes_ml", "probabilities"}, each failure an event
    "task_failed" {"name", "message"}. A stop request ends the job with the status STOPPED; finished results stay.

    Raises:
        AIDEError: job or model cannot be used; the status is then FAILED, with the message.
    """
    progress = Progress(folder, listener)
    with progress.telling_warnings(), folder.occupied():
        return _predict_batch(folder, progress)


def _predict_batch(folder: JobFolder, progress: Progress) -> int:
    folder.withdraw(Request.STOP)
    folder.withdraw(Request.PAUSE)
    try:
        failed = _BatchPrediction(folder.read(), progress).complete()
    except StopRequested:
        folder.withdraw(Request.STOP)
        progress.event("stopped")
        progress.state(Status.STOPPED, message="Stopped on request.")
        return 0
    except (AIDEError, MemoryError) as error:
        message = str(error) if isinstance(error, AIDEError) else "The memory is not enough for the model."
        progress.event("failed", message=message)
        progress.state(Status.FAILED, message=message)
        raise error if isinstance(error, AIDEError) else VolumeError(message) from error
    progress.event("batch_finished", failed=failed)
    progress.state(Status.FINISHED, share=1.0, seconds_left=0.0, failed=failed, message="Segmentation finished.")
    return failed


class _BatchPrediction:
    def __init__(self, job: PredictionJob, progress: Progress) -> None:
        self._job = job
        self._progress = progress

    def complete(self) -> int:
        self._progress.state(Status.RUNNING, stage="loading the model", share=0.0, message="")
        model = load_model(self._job.model)
        device = choose_device(self._job.device)
        self._predictor = Predictor(model, device, largest_component=self._job.largest_component)
        self._progress.state(Status.RUNNING, stage="segmenting", device=describe_device(device))
        self._progress.begin_epoch("segmenting", 1, 1, 0)
        return sum(not self._try(position, task) for position, task in enumerate(self._job.tasks))

    def _try(self, position: int, task: PredictionTask) -> bool:
        try:
            self._segment(position, task)
        except (AIDEError, MemoryError, OSError) as error:
            message = _message(error)
            self._progress.event("task_failed", name=task.name, message=message)
            return False
        return True

    def _segment(self, position: int, task: PredictionTask) -> None:
        description = self._predictor.description
        check_output(task.output)
        self._require_own_file(task)
        self._progress.step(position, len(self._job.tasks))
        channels = read_channels(task.images, description.channels)
        prediction = self._predictor.predict(
            channels, lambda share: self._progress.step_share((position + share) / len(self._job.tasks))
        )
        write_labels(prediction.labels, description.structures, task.output)
        probabilities = (
            write_probabilities(prediction.probabilities, description.structures, task.probabilities)
            if task.probabilities is not None
            else []
        )
        self._progress.event(
            "segmented",
            name=task.name,
            output=str(task.output),
            volumes_ml=_volumes_in_ml(prediction.labels, description),
            probabilities=[str(file) for file in probabilities],
        )

    def _require_own_file(self, task: PredictionTask) -> None:
        """Refuse a result over an image, that of another examination included, or over another result."""
        file = os.path.realpath(task.output)
        same = [other.output for other in self._job.tasks if os.path.realpath(other.output) == file]
        require_other_files(same, [image for other in self._job.tasks for image in other.images])


def _message(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "The memory is not enough for this image."
    if isinstance(error, OSError):
        return describe_os_error(error)
    return str(error)


def _volumes_in_ml(labels: sitk.Image, description: ModelDescription) -> dict[str, float]:
    """Return the volume of each structure; of a 2D image its area times 1 mm."""
    counts = np.bincount(sitk.GetArrayViewFromImage(labels).ravel(), minlength=len(description.structures) + 1)
    voxel_ml = float(np.prod(labels.GetSpacing())) / 1000
    return {
        structure.name: round(float(counts[index + 1]) * voxel_ml, 6)
        for index, structure in enumerate(description.structures)
    }
