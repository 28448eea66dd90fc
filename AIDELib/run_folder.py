"""The run folder: everything that a training leaves behind, and the only thing that those who watch it look at."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from AIDELib import __version__
from AIDELib.errors import RunError, SettingsError
from AIDELib.json_document import DocumentError
from AIDELib.method_name import MethodName, network_count, parse_method_name
from AIDELib.sealed_document import is_there, mend_sealed, read_sealed, write_sealed
from AIDELib.settings import Settings
from AIDELib.standardization import Task
from AIDELib.watched_folder import WatchedFolder

FORMAT = "aide-run/1"


@dataclass(frozen=True)
class RunDescription:
    """What a run was started with.

    Attributes:
        method: the training method.
        settings: all its settings.
        task: what the user calls the task, None for what fits the labels; how the training goes follows from them.
        baseline: a method that is trained on the same cases afterwards, for comparison; None for no comparison.
        evaluate: whether the models are measured on the labelled test cases at the end.

    Raises:
        SettingsError: a method is unknown, or the baseline is the method itself.
    """

    method: MethodName
    settings: Settings
    task: Task | None = None
    baseline: MethodName | None = None
    evaluate: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", parse_method_name(self.method))
        if self.baseline is not None:
            object.__setattr__(self, "baseline", parse_method_name(self.baseline))
        if self.baseline is self.method:
            raise SettingsError(
                f"The baseline is the method itself ({self.method.value}); choose another one to compare with."
            )

    def of_baseline(self, baseline: MethodName) -> RunDescription:
        """Return what the run of the baseline is started with, so that it computes about as much as this one.

        It is trained for as many times the epochs as this run has more networks. Where wrong labels stay as they are, its
        input is changed in full, so that they are not learned by heart.
        """
        settings = self.settings
        before = settings.pretraining_epochs if settings.pretrained_start else 0
        longer = network_count(self.method) // network_count(baseline)
        settings = settings.replace(epochs=max(1, longer) * (before + settings.epochs) - before)
        if baseline is MethodName.CONVENTIONAL:
            settings = settings.replace(input_halved_from=0)
        return RunDescription(baseline, settings, self.task, None, self.evaluate)


class RunFolder(WatchedFolder):
    """The files of a run, besides those of every watched folder.

    - `run.json`: the RunDescription; `dataset.json`: the cases.
    - `checkpoints/`: what a resumed run goes on from; `model.aide`: the best model so far.
    - `generated/CASE.seg.nrrd`: the first labels of the unlabelled cases.
    - `corrected/NETWORK/CASE.seg.nrrd`: labels that a network rewrote, on the grid of the case's first channel.
    - `suggested/CASE.seg.nrrd`: what the networks together predict for cases whose label they doubt.
    - `review.json`: the cases ranked by how far the networks disagree with their given label.
    - `decisions.json`, `reviewed/`: what people decided about labels, and the labels that they decided on.
    - `report/`: the model measured on the test cases; `baseline/`: the run of the baseline, a run folder of its own;
      `comparison.json`: paired tests of the two reports.

    The label files have the structures' names and colours; in their voxels 0 is the background and i + 1 the i-th structure.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.dataset_file = path / "dataset.json"
        self.description_file = path / "run.json"
        self.checkpoint_folder = path / "checkpoints"
        self.model_file = path / "model.aide"
        self.generated_folder = path / "generated"
        self.corrected_folder = path / "corrected"
        self.suggested_folder = path / "suggested"
        self.review_file = path / "review.json"
        self.decisions_file = path / "decisions.json"
        self.reviewed_folder = path / "reviewed"
        self.report_folder = path / "report"
        self.baseline_folder = path / "baseline"
        self.comparison_file = path / "comparison.json"

    def create(self, description: RunDescription) -> None:
        """Make the folder and write the description.

        Raises:
            RunError: the folder holds a run or another dataset.json already, or cannot be written.
        """
        if is_there(self.description_file):
            begun = any(self.checkpoint_folder.glob("*"))
            state = (
                "" if begun else ", of which nothing is trained yet: delete it to begin with other cases or settings"
            )
            raise RunError(
                f"{self.path} already holds a run{state}. Choose another folder, or go on with it: "
                f"train --run {self.path} --resume"
            )
        if self.dataset_file.exists():
            raise RunError(
                f"{self.dataset_file} is there already, belongs to no run and would be written over. Choose another folder."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"The run folder {self.path} cannot be made: {error.strerror}.") from None
        self._write_description(description)

    def mend(self) -> None:
        """Put spare copies in the place of damaged documents.

        Raises:
            RunError: the folder cannot be written.
        """
        try:
            for file in (self.description_file, self.dataset_file, self.decisions_file):
                mend_sealed(file)
        except OSError as error:
            raise RunError(f"The run folder {self.path} cannot be written: {error.strerror}.") from None

    def extend(self, epochs: int) -> None:
        """Let the training go on for more epochs than it was started with.

        Raises:
            RunError: the folder holds no run, cannot be written, or a training runs in it.
            SettingsError: the number is not positive, or the total is too large.
        """
        if epochs < 1:
            raise SettingsError(f"The number of further epochs must be 1 or more, got {epochs}.")
        description = self.read_description()
        settings = description.settings.replace(epochs=description.settings.epochs + epochs)
        with self.occupied():
            self._write_description(dataclasses.replace(description, settings=settings))

    def read_description(self) -> RunDescription:
        """Return what the run was started with.

        Raises:
            RunError: the folder holds no run, or one of another version.
        """
        if not is_there(self.description_file):
            raise RunError(f"{self.path} holds no run (there is no {self.description_file.name} in it).")
        try:
            document = read_sealed(self.description_file)
            if document["format"] != FORMAT:
                raise RunError(f"{self.description_file} has the format '{document['format']}', not '{FORMAT}'.")
            task = document["task"]
            return RunDescription(
                document["method"],
                Settings.from_json(document["settings"]),
                None if task is None else Task(task),
                document["baseline"],
                bool(document["evaluate"]),
            )
        except (DocumentError, OSError) as error:
            raise RunError(f"{self.description_file} cannot be used: {error}.") from None
        except SettingsError as error:
            raise RunError(f"{self.description_file}: {error}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.description_file} is damaged ({error!r}).") from None

    def _write_description(self, description: RunDescription) -> None:
        document = {
            "format": FORMAT,
            "version": __version__,
            "method": description.method.value,
            "task": None if description.task is None else description.task.value,
            "settings": description.settings.to_json(),
            "baseline": None if description.baseline is None else description.baseline.value,
            "evaluate": description.evaluate,
        }
        try:
            write_sealed(self.description_file, document)
        except OSError as error:
            raise RunError(f"The run folder {self.path} cannot be written: {error.strerror}.") from None
