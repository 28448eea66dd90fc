"""The panel's comparison of a segmentation with a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slicer.i18n import tr as _

from AIDESegmentationLib.comparison import compareFiles
from AIDESegmentationLib.metric_table import showNumbers
from AIDESegmentationLib.segmentation_logic import SegmentationLogic
from AIDESlicer.dependencies import ensureDependencies
from AIDESlicer.error_display import errorsShown, showingErrors
from AIDESlicer.worker_thread import WorkerThread

# Title, name in the answer, digits behind the point.
COLUMNS: tuple[tuple[Callable[[], str], str, int], ...] = (
    (lambda: _("DSC"), "DSC", 3),
    (lambda: _("RAVD"), "RAVD", 3),
    (lambda: _("ASSD mm"), "ASSD", 2),
    (lambda: _("MSSD mm"), "MSSD", 2),
)


class CompareSection:
    """Compares in the background and shows a row per segment.

    Args:
        ui: the panel's widgets.
        logic: the module's.
    """

    def __init__(self, ui: Any, logic: SegmentationLogic) -> None:
        self._ui = ui
        self._logic = logic
        self._thread: WorkerThread | None = None
        for selector in (ui.comparedSelector, ui.referenceSelector):
            selector.connect("currentNodeChanged(vtkMRMLNode*)", self._showButton)
        ui.compareButton.clicked.connect(self.onCompare)
        self.clear()
        self._showButton()

    @property
    def isRunning(self) -> bool:
        """Whether a comparison is running."""
        return self._thread is not None

    @showingErrors
    def onCompare(self, *_arguments: Any) -> None:
        """Compare the chosen segmentations."""
        ensureDependencies(_("AIDE Segmentation"))
        comparison = self._logic.prepareComparison(
            self._ui.comparedSelector.currentNode(), self._ui.referenceSelector.currentNode()
        )
        self._thread = WorkerThread(lambda: compareFiles(comparison), self._onMeasured, self._onError)
        self._thread.start()
        self._showButton()

    def abandon(self) -> None:
        """Wait for no result any more."""
        if self._thread is not None:
            self._thread.abandon()
            self._thread = None
            self._showButton()

    def clear(self) -> None:
        """Show no result."""
        self._show({})

    def _onMeasured(self, metrics: Mapping[str, Mapping[str, float | None]]) -> None:
        self._thread = None
        self._showButton()
        self._show(metrics)

    def _show(self, metrics: Mapping[str, Mapping[str, float | None]]) -> None:
        rows = {
            name: [_text(values.get(key), digits) for _title, key, digits in COLUMNS]
            for name, values in metrics.items()
        }
        showNumbers(self._ui.compareTable, [_("Segment"), *(title() for title, _key, _digits in COLUMNS)], rows)

    def _onError(self, error: Exception) -> None:
        self._thread = None
        self._showButton()
        with errorsShown():
            raise error

    def _showButton(self, *_arguments: Any) -> None:
        both = (
            self._ui.comparedSelector.currentNode() is not None and self._ui.referenceSelector.currentNode() is not None
        )
        self._ui.compareButton.enabled = both and not self.isRunning
        self._ui.compareButton.text = _("Comparing…") if self.isRunning else _("Compare")


def _text(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
