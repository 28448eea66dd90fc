"""A folder that says what to segment with which model, and in which the progress is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import write_text_atomically
from AIDELib.errors import RunError
from AIDELib.json_document import DocumentError, read_json_object, text
from AIDELib.watched_folder import WatchedFolder

FORMAT = "aide-prediction-job/1"


@dataclass(frozen=True)
class PredictionTask:
    """One examination to segment.

    Attributes:
        name: for the user and in events.
        images: one file or DICOM folder per channel, in the model's order.
        output: `.seg.nrrd` or label volume to write.
        probabilities: probability volume to write (with several structures one file each, named after them); None for none.
    """

    name: str
    images: tuple[Path, ...]
    output: Path
    probabilities: Path | None = None


@dataclass(frozen=True)
class PredictionJob:
    """What to segment, and how.

    Attributes:
        model: `.aide` file or run folder.
        tasks: the examinations.
        device: "auto", "cpu", "cuda" or "mps".
        largest_component: whether only the largest component of each structure is kept; None for what the model says.
    """

    model: Path
    tasks: tuple[PredictionTask, ...]
    device: str = "auto"
    largest_component: bool | None = None


class JobFolder(WatchedFolder):
    """The files of a prediction job: `job.json`, besides those of every watched folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.job_file = path / "job.json"

    def write(self, job: PredictionJob) -> None:
        """Write the job.

        Raises:
            RunError: the folder cannot be written.
        """
        document = {
            "format": FORMAT,
            "model": str(job.model.absolute()),
            "device": job.device,
            "largest_component": job.largest_component,
            "tasks": [_task_entry(task) for task in job.tasks],
        }
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_text_atomically(self.job_file, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise RunError(f"The job {self.job_file} cannot be written: {error.strerror}.") from None

    def read(self) -> PredictionJob:
        """Return the job.

        Raises:
            RunError: there is none, or it is damaged.
        """
        try:
            document = read_json_object(self.job_file)
            if document["format"] != FORMAT:
                raise RunError(f"{self.job_file} has the format '{document['format']}', not '{FORMAT}'.")
            return PredictionJob(
                Path(text(document["model"])),
                tuple(_parse_task(entry) for entry in document["tasks"]),
                text(document["device"]),
                _optional_choice(document["largest_component"]),
            )
        except FileNotFoundError:
            raise RunError(f"{self.path} holds no prediction job (there is no {self.job_file.name} in it).") from None
        except DocumentError as error:
            raise RunError(f"{self.job_file} is damaged: {error}.") from None
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise RunError(f"{self.job_file} is damaged ({error!r}).") from None


def _task_entry(task: PredictionTask) -> dict[str, Any]:
    return {
        "name": task.name,
        "images": [str(image.absolute()) for image in task.images],
        "output": str(task.output.absolute()),
        "probabilities": None if task.probabilities is None else str(task.probabilities.absolute()),
    }


def _parse_task(entry: dict[str, Any]) -> PredictionTask:
    probabilities = entry["probabilities"]
    return PredictionTask(
        text(entry["name"]),
        tuple(Path(text(image)) for image in entry["images"]),
        Path(text(entry["output"])),
        None if probabilities is None else Path(text(probabilities)),
    )


def _optional_choice(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"largest_component is {value!r}")
    return value
