"""The panel's view of a running job: progress, time left, Cancel, messages and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from AIDELib.errors import AIDEError
from AIDESegmentationLib.examination import Examination, Segmented
from AIDESegmentationLib.metric_table import showNumbers
from AIDESegmentationLib.result_display import ResultDisplay, isHidden
from AIDESegmentationLib.segmentation_job import JobOptions, SegmentationJob
from AIDESegmentationLib.segmentation_logic import SegmentationLogic
from AIDESlicer.dependencies import ensureDependencies
from AIDESlicer.duration_text import durationText
from AIDESlicer.error_display import unexpectedMessage


class RunSection:
    """Starts jobs, one at a time, and shows how they get on.

    Args:
        ui: the panel's widgets.
        logic: the module's.
        onSegmented: called with the segmentation node of each result that came into the scene.
        onRunningChanged: called when a job has begun or ended.
    """

    def __init__(
        self,
        ui: Any,
        logic: SegmentationLogic,
        onSegmented: Callable[[Any], None],
        onRunningChanged: Callable[[], None],
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._onSegmentedNode = onSegmented
        self._onRunningChanged = onRunningChanged
        self._job: SegmentationJob | None = None
        self._failures: list[str] = []
        self._volumes: dict[str, Sequence[str]] = {}
        self._display = ResultDisplay()
        self._results: list[str] = []
        self._count = self._done = 0
        self._isCancelled = False
        ui.progressWidget.hide()
        ui.messageLabel.hide()
        self._showVolumes()
        ui.cancelButton.clicked.connect(self.onCancel)

    @property
    def isRunning(self) -> bool:
        """Whether a job is running."""
        return self._job is not None and self._job.isRunning

    def start(self, model: Path, examinations: Sequence[Examination], options: JobOptions) -> None:
        """Install what is missing, with consent, and start a job.

        Raises:
            AIDEError: packages are missing, or the model or a volume cannot be used.
        """
        if self.isRunning:
            raise AIDEError(_("A segmentation is running already; wait for it or cancel it."))
        ensureDependencies(_("AIDE Segmentation"))
        self._failures, self._volumes, self._results = [], {}, []
        self._count, self._done, self._isCancelled = len(examinations), 0, False
        self._ui.messageLabel.hide()
        self._job = self._logic.startJob(model, examinations, options, self)
        self._ui.progressWidget.show()
        self._onRunningChanged()

    def onCancel(self, *_arguments: Any) -> None:
        """End the job; finished segmentations stay."""
        if self.isRunning:
            self._isCancelled = True
            self._job.cancel()

    def abandon(self) -> None:
        """End the job, and forget what came out, because its scene is closing."""
        self.onCancel()
        self._display.forget()
        self._results = []

    # What the job tells

    def onProgress(self, share: float, secondsLeft: float | None, what: str) -> None:
        """Show how far the job is."""
        self._ui.progressBar.setValue(round(1000 * share))
        text = what
        if self._count > 1:
            text += " " + _("({done} of {count} ready)").format(done=self._done, count=self._count)
        if secondsLeft is not None:
            text += ", " + _("about {duration} left").format(duration=durationText(secondsLeft))
        self._ui.progressLabel.text = text

    def onSegmented(self, result: Segmented) -> None:
        """Add a result to the scene and its volumes to the table."""
        if result.examination.inScene:
            self._addToScene(result)
        self._done += 1
        several = self._count > 1
        for name, volume in result.volumesMl.items():
            row = f"{result.examination.name}: {name}" if several else name
            self._volumes[row] = [f"{volume:.2f}"]
        self._showVolumes()
        self._ui.volumesCollapsibleButton.collapsed = False

    def _addToScene(self, result: Segmented) -> None:
        segmentation = self._logic.addToScene(result)
        show = self._display.showIfImageIsShown if self._count > 1 else self._display.showWithImage
        show(segmentation, result.examination.images)
        self._results.append(segmentation.GetID())
        self._onSegmentedNode(segmentation)

    def _showVolumes(self) -> None:
        showNumbers(self._ui.volumesTable, [_("Segment"), _("Volume (mL)")], self._volumes)

    def onFailed(self, examination: Examination, error: Exception) -> None:
        """Remember what went wrong with one examination."""
        reason = str(error) if isinstance(error, AIDEError) else unexpectedMessage(error)
        self._failures.append(f"{examination.name}: {reason}")

    def onEnded(self, error: Exception | None) -> None:
        """Say what came out."""
        # It holds the volumes, also when they are no longer in the scene.
        self._job = None
        self._ui.progressWidget.hide()
        message = self._summary()
        self._ui.messageLabel.text = message
        self._ui.messageLabel.setVisible(bool(message))
        self._onRunningChanged()
        if error is not None:
            self._failures.insert(0, str(error) if isinstance(error, AIDEError) else unexpectedMessage(error))
        if self._failures:
            slicer.util.errorDisplay("\n\n".join(self._failures))

    def _summary(self) -> str:
        if self._isCancelled:
            return _("Cancelled. {done} of {count} segmentations are ready.").format(done=self._done, count=self._count)
        if self._count > 1:
            ready = _("{done} of {count} segmentations are ready.").format(done=self._done, count=self._count)
            return f"{ready} {self._aboutHidden()}".strip()
        return _("The segmentation is ready. Check it before you use it.") if self._done else ""

    def _aboutHidden(self) -> str:
        hidden = sum(isHidden(slicer.mrmlScene.GetNodeByID(identifier)) for identifier in self._results)
        if not hidden:
            return ""
        return _("Hidden, because another image is on the screen: {hidden}. Show them in the module Data.").format(
            hidden=hidden
        )
