"""One prediction job, from nodes over files and a background process back to nodes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

from AIDELib.errors import AIDEError, RunError, VolumeError
from AIDELib.model_description import ModelDescription
from AIDELib.prediction_job import JobFolder, PredictionJob, PredictionTask
from AIDESegmentationLib.examination import Examination, Segmented, checkExaminations, uniqueNames
from AIDESlicer.background_process import LOG_NAME, BackgroundProcess, startProcess
from AIDESlicer.folder_watcher import FolderWatcher
from AIDESlicer.segment_import import readLabelsOnVolume
from AIDESlicer.temporary_folder import removeAbandonedFolders, temporaryFolder
from AIDESlicer.volume_snapshot import VolumeSnapshot, snapshotOfFile, snapshotOfVolume
from AIDESlicer.worker_thread import WorkerThread


@dataclass(frozen=True)
class JobOptions:
    """How a job computes.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        largestComponent: whether each structure's largest part alone is kept; None for what the model says.
    """

    device: str = "auto"
    largestComponent: bool | None = None


class JobObserver(Protocol):
    """Who learns of a job, always on the main thread."""

    def onProgress(self, share: float, secondsLeft: float | None, what: str) -> None:
        """So much is done, 0 to 1; `what` is being done."""

    def onSegmented(self, result: Segmented) -> None:
        """One examination is ready."""

    def onFailed(self, examination: Examination, error: Exception) -> None:
        """One examination could not be segmented; the others go on."""

    def onEnded(self, error: Exception | None) -> None:
        """All is over; with an error where the job as a whole failed."""


class SegmentationJob:
    """A job in the background.

    Volumes are written, and results read, in worker threads; the process computes. Whatever the scene does meanwhile,
    the job works on the volumes as they were when it began.

    Args:
        model: the model file.
        description: of the model.
        examinations: what to segment.
        options: how.
        observer: who learns of it.

    Raises:
        VolumeError: an examination lacks a channel, or a volume cannot be used.
    """

    def __init__(
        self,
        model: Path,
        description: ModelDescription,
        examinations: Sequence[Examination],
        options: JobOptions,
        observer: JobObserver,
    ) -> None:
        checkExaminations(examinations, description.channels)
        self._model = model
        self._description = description
        self._options = options
        self._observer = observer
        self._examinations = dict(zip(uniqueNames(examinations), examinations, strict=True))
        self._snapshots = {
            name: [image if isinstance(image, Path) else snapshotOfVolume(image) for image in examination.images]
            for name, examination in self._examinations.items()
        }
        self._nodeIds = {
            name: examination.images[0].GetID()
            for name, examination in self._examinations.items()
            if not isinstance(examination.images[0], Path)
        }
        self._folder: JobFolder | None = None
        self._process: BackgroundProcess | None = None
        self._watcher: FolderWatcher | None = None
        self._thread: WorkerThread | None = None
        self._arrived: list[dict[str, Any]] = []
        self._isProcessOver = False
        self.isRunning = False

    def start(self) -> None:
        """Begin; returns at once.

        Raises:
            RunError: there is no place for temporary files.
        """
        self._folder = JobFolder(temporaryFolder("segmentation"))
        self.isRunning = True
        self._observer.onProgress(0.0, None, _("Preparing the images"))
        self._inThread(self._writeImages, self._startProcess)

    def cancel(self) -> None:
        """End without a further result; what has arrived stays. Returns at once."""
        if not self.isRunning:
            return
        self._stopWatching()
        self._end(None)

    # On the way to the process

    def _writeImages(self) -> list[PredictionTask]:
        """Write the volumes and return the tasks. Runs in a thread."""
        removeAbandonedFolders(self._folder.path.parent)
        return [
            PredictionTask(
                name,
                tuple(self._imageFile(name, position, channel) for channel in range(len(examination.images))),
                examination.output or self._folder.path / f"{position}.seg.nrrd",
                self._probabilityFile(examination, position),
            )
            for position, (name, examination) in enumerate(self._examinations.items())
        ]

    def _imageFile(self, name: str, position: int, channel: int) -> Path:
        source = self._snapshots[name][channel]
        if isinstance(source, Path):
            return source
        if not self.isRunning:
            raise RunError("Cancelled.")
        file = self._folder.path / f"{position}_{channel}.nrrd"
        source.write(file)
        return file

    def _probabilityFile(self, examination: Examination, position: int) -> Path | None:
        if not examination.probabilities:
            return None
        if examination.output is None:
            return self._folder.path / f"{position}_probability.nrrd"
        stem = examination.output.name.removesuffix("".join(examination.output.suffixes[-2:]))
        return examination.output.with_name(f"{stem}_probability.nrrd")

    def _startProcess(self, tasks: list[PredictionTask]) -> None:
        job = PredictionJob(self._model, tuple(tasks), self._options.device, self._options.largestComponent)
        self._folder.write(job)
        self._observer.onProgress(0.0, None, _("Starting"))
        self._process = startProcess(["predict-batch", str(self._folder.path)], self._folder.path / LOG_NAME)
        self._watcher = FolderWatcher(self._folder, self._onEvent, self._onState, self._onDeath, self._process)
        self._watcher.start()

    # On the way back

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("event") == "task_failed":
            self._observer.onFailed(self._examinations[event["name"]], AIDEError(event["message"]))
        elif event.get("event") == "segmented":
            self._arrived.append(event)
            self._takeNext()

    def _onState(self, state: dict[str, Any]) -> None:
        if state["status"] == "failed":
            self._fail(AIDEError(state.get("message") or _("The segmentation failed.")))
        elif state["status"] in ("finished", "stopped"):
            self._isProcessOver = True
            self._endIfAllArrived()
        elif state["status"] == "running":
            self._observer.onProgress(
                float(state.get("share") or 0.0), state.get("seconds_left"), _stageText(state.get("stage", ""))
            )

    def _onDeath(self, message: str) -> None:
        self._fail(RunError(message))

    def _takeNext(self) -> None:
        """Read the next result, one at a time, so that a large batch does not fill the memory."""
        if self._thread is not None or not self._arrived:
            return
        event = self._arrived.pop(0)
        examination = self._examinations[event["name"]]
        if not examination.inScene:
            self._deliver(examination, self._result(event, examination))
            return
        source = self._snapshots[event["name"]][0]
        try:
            node = None if isinstance(source, Path) else self._receiver(event["name"], examination, source)
        except Exception as error:
            self._refuse(examination, error)
            return
        self._inThread(
            lambda: self._read(event, examination, source, node),
            lambda result: self._deliver(examination, result),
            lambda error: self._refuse(examination, error),
        )

    def _receiver(self, name: str, examination: Examination, source: VolumeSnapshot) -> Any:
        """Return the node on which a result is shown."""
        node = slicer.mrmlScene.GetNodeByID(self._nodeIds[name])
        if node is None or node is not examination.images[0]:
            raise VolumeError(
                f"Volume '{source.name}' was removed while it was being segmented; its result was dropped."
            )
        return node

    def _read(
        self, event: dict[str, Any], examination: Examination, source: VolumeSnapshot | Path, node: Any
    ) -> Segmented:
        """Read one result, and the image where it is not in the scene. Runs in a thread."""
        # As the process read it: Slicer's own reader takes numbered files for the slices of one volume.
        read = snapshotOfFile(source, examination.name) if isinstance(source, Path) else None
        names = [structure.name for structure in self._description.structures]
        probabilities = {
            name: sitk.ReadImage(file) for name, file in zip(names, event.get("probabilities", []), strict=False)
        }
        labels = readLabelsOnVolume(Path(event["output"]), read or source)
        return replace(
            self._result(event, examination),
            labels=labels,
            volumeNode=node,
            volumeRead=read,
            probabilities=probabilities,
        )

    def _result(self, event: dict[str, Any], examination: Examination) -> Segmented:
        return Segmented(examination, Path(event["output"]), self._description.structures, event["volumes_ml"])

    def _deliver(self, examination: Examination, result: Segmented) -> None:
        try:
            self._observer.onSegmented(result)
        except Exception as error:
            self._observer.onFailed(examination, error)
        self._goOn()

    def _refuse(self, examination: Examination, error: Exception) -> None:
        self._observer.onFailed(examination, error)
        self._goOn()

    def _goOn(self) -> None:
        self._takeNext()
        self._endIfAllArrived()

    # The end

    def _endIfAllArrived(self) -> None:
        if self.isRunning and self._isProcessOver and self._thread is None and not self._arrived:
            self._end(None)

    def _fail(self, error: Exception) -> None:
        if self.isRunning:
            self._stopWatching()
            self._end(error)

    def _stopWatching(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        if self._thread is not None:
            self._thread.abandon()
        self._arrived.clear()

    def _end(self, error: Exception | None) -> None:
        self.isRunning = False
        # Ending a process can take seconds, and a folder of a process that still writes cannot be removed.
        process, thread, folder = self._process, self._thread, self._folder
        self._cleaner = WorkerThread(
            lambda: _cleanUp(process, thread, folder.path), lambda done: None, lambda error: None
        )
        self._cleaner.start()
        self._snapshots.clear()
        self._observer.onEnded(error)

    def _inThread(
        self,
        work: Callable[[], Any],
        onDone: Callable[[Any], Any],
        onError: Callable[[Exception], Any] | None = None,
    ) -> None:
        def done(result: Any) -> None:
            self._thread = None
            try:
                onDone(result)
            except Exception as error:
                self._fail(error)

        def failed(error: Exception) -> None:
            self._thread = None
            (onError or self._fail)(error)

        self._thread = WorkerThread(work, done, failed)
        self._thread.start()


def _cleanUp(process: BackgroundProcess | None, thread: WorkerThread | None, folder: Path) -> None:
    if process is not None:
        process.kill()
    if thread is not None:
        thread.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _stageText(stage: str) -> str:
    texts = {"loading the model": _("Loading the model"), "segmenting": _("Segmenting")}
    return texts.get(stage, stage.capitalize() or _("Starting"))
