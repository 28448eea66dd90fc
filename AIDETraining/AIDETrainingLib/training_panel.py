"""The panel: four sections, from top to bottom as the work goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from AIDETrainingLib.dataset_section import DatasetSection
from AIDETrainingLib.results_section import ResultsSection
from AIDETrainingLib.review_section import ReviewSection
from AIDETrainingLib.training_section import TrainingSection

# Changes of the scene that come together are shown together.
_REFRESH_DELAY_MS = 200


class TrainingPanel:
    """Builds the sections and tells them what changed.

    Args:
        logic: the module's logic.
        layout: what the sections are added to.
        resourcePath: returns the path of a file in the module's Resources.
    """

    def __init__(self, logic: Any, layout: qt.QBoxLayout, resourcePath: Callable[[str], str]) -> None:
        self._logic = logic
        self._parameters: Any = None
        self._guiTags: list[Any] = []
        self._guis: dict[str, Any] = {}
        for name in ("DatasetSection", "TrainingSection", "ReviewSection", "ResultsSection"):
            widget = slicer.util.loadUI(resourcePath(f"UI/{name}.ui"))
            layout.addWidget(widget)
            widget.setMRMLScene(slicer.mrmlScene)
            self._guis[name] = slicer.util.childWidgetVariables(widget)
        layout.addStretch(1)
        self._fold()
        table = logic.table
        self.dataset = DatasetSection(self._guis["DatasetSection"], table)
        self.review = ReviewSection(self._guis["ReviewSection"], logic, self._onContinued)
        self.results = ResultsSection(self._guis["ResultsSection"], logic)
        self.training = TrainingSection(self._guis["TrainingSection"], logic, self._onRunChanged)
        table.observe(self._onTable)
        self._table = table
        self._refreshTimer = qt.QTimer()
        self._refreshTimer.setSingleShot(True)
        self._refreshTimer.setInterval(_REFRESH_DELAY_MS)
        self._refreshTimer.connect("timeout()", self._onTable)
        self._choicesTimer = qt.QTimer()
        self._choicesTimer.setSingleShot(True)
        self._choicesTimer.setInterval(_REFRESH_DELAY_MS)
        self._choicesTimer.connect("timeout()", self.training.followChoices)

    def setParameterNode(self, parameters: Any) -> None:
        """Show the choices in a parameter node; None while the scene is being closed."""
        if self._parameters is not None:
            for tag in self._guiTags:
                self._parameters.disconnectGui(tag)
        self._guiTags = []
        if parameters is None:
            self.dataset.cancel()
            self.review.cancel()
            self._logic.review.clear()
        isSame = parameters is not None and parameters is self._parameters
        self._parameters = parameters
        if not isSame:
            self.training.setParameters(parameters)
        if parameters is None:
            return
        self._guiTags = [parameters.connectGui(self._guis[name]) for name in ("TrainingSection", "ReviewSection")]
        self.training.refreshChoices()
        self._onTable()

    def widgets(self, section: str) -> Any:
        """Return the widgets of a section by their names in its .ui file."""
        return self._guis[section]

    def enter(self) -> None:
        """Bring everything up to date when the module is opened."""
        self.training.devices.refreshOnce()
        self._onTable()

    def scheduleRefresh(self) -> None:
        """Show soon what changed in the scene."""
        self._refreshTimer.start()

    def scheduleChoices(self) -> None:
        """Show soon what was changed in the parameter node, by a script for example."""
        self._choicesTimer.start()

    def close(self) -> None:
        """Let go of the parameter node and stop all timers. A training goes on."""
        self._refreshTimer.stop()
        self._choicesTimer.stop()
        self.setParameterNode(None)
        self.training.stopWatching()
        self._table.stopObserving(self._onTable)

    def _fold(self) -> None:
        """Fold away what is needed later or seldom."""
        dataset, training = self._guis["DatasetSection"], self._guis["TrainingSection"]
        for widget in (
            dataset.channelsGroupBox,
            dataset.structuresGroupBox,
            training.advancedGroupBox,
            training.logGroupBox,
            self._guis["ReviewSection"].reviewCollapsibleButton,
            self._guis["ResultsSection"].resultsCollapsibleButton,
        ):
            widget.collapsed = True

    def _onTable(self) -> None:
        if self._parameters is None:
            return
        self.dataset.refresh()
        self.training.refreshStatement()

    def _onRunChanged(self) -> None:
        if self._parameters is None:
            return
        # The logic looks at the run that the parameter node names.
        self._logic.getParameterNode()
        self.review.refresh()
        self.results.refresh()

    def _onContinued(self) -> None:
        self.training.lookAgain()
