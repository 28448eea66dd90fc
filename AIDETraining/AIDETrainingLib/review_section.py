"""Section 3 of the panel: the label review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from AIDELib.label_disagreement import Disagreement
from AIDELib.review import ReviewedCase
from AIDELib.review_decision import Choice, ReviewDecision
from AIDESlicer.dependencies import ensureDependencies
from AIDESlicer.error_display import errorsShown, showingErrors
from AIDESlicer.worker_thread import WorkerThread
from AIDETrainingLib.case_words import qualityWord
from AIDETrainingLib.review_labels import ReviewMaterial
from AIDETrainingLib.run_view import RunPhase
from AIDETrainingLib.sparkline import HEIGHT, WIDTH, sparkline
from AIDETrainingLib.stepwise import StepRunner

_CASE_ROLE = qt.Qt.UserRole
_TREND_COLOR = "#0072B2"


class ReviewSection:
    """Shows the ranking of the cases and takes decisions about their labels.

    Args:
        ui: the widgets of ReviewSection.ui.
        logic: the module's logic.
        onContinued: called after the training was continued.
    """

    def __init__(self, ui: Any, logic: Any, onContinued: Callable[[], None]) -> None:
        self._ui = ui
        self._logic = logic
        self._onContinued = onContinued
        self._cases: list[ReviewedCase] = []
        self._updating = False
        self._thread: WorkerThread | None = None
        self._runner: StepRunner | None = None
        ui.reviewTable.verticalHeader().setVisible(False)
        ui.reviewTable.verticalHeader().setDefaultSectionSize(HEIGHT + 6)
        ui.reviewTable.horizontalHeader().setHighlightSections(False)
        ui.reviewTable.setIconSize(qt.QSize(WIDTH, HEIGHT))
        ui.reviewTable.connect("itemSelectionChanged()", self._onSelection)
        ui.acceptButton.connect("clicked()", self._onAccept)
        ui.keepButton.connect("clicked()", self._onKeep)
        ui.editButton.connect("clicked()", self._onEdit)
        ui.useEditedButton.connect("clicked()", self._onUseEdited)
        ui.withdrawButton.connect("clicked()", self._onWithdraw)
        ui.continueButton.connect("clicked()", self._onContinue)

    @showingErrors
    def refresh(self) -> None:
        """Show the ranking of the run as it is now, keeping the selection."""
        self._cases = self._logic.review.cases()
        decisions = self._logic.review.decisions()
        selected = self.selectedCase()
        self._updating = True
        self._fill(decisions)
        self._select(selected)
        self._updating = False
        self._ui.reviewLabel.setText(self._explanation(decisions))
        self._showButtons(decisions)

    def selectedCase(self) -> str | None:
        """Return the name of the selected case."""
        items = self._ui.reviewTable.selectedItems()
        if not items:
            return None
        return str(self._ui.reviewTable.item(items[0].row(), 0).data(_CASE_ROLE))

    def select(self, caseName: str) -> None:
        """Select a case, as a click on its row does."""
        self._select(caseName)

    @property
    def busy(self) -> bool:
        """Whether a case is being read or shown."""
        return self._thread is not None or (self._runner is not None and self._runner.running)

    def cancel(self) -> None:
        """Stop reading and showing a case."""
        if self._thread is not None:
            self._thread.abandon()
            self._thread = None
        if self._runner is not None:
            self._runner.cancel()

    def _fill(self, decisions: dict[str, ReviewDecision]) -> None:
        table = self._ui.reviewTable
        titles = [_("Case"), _("Agreement"), _("Trend"), _("Quality"), _("Decision")]
        if table.columnCount != len(titles):
            table.setColumnCount(len(titles))
            table.setHorizontalHeaderLabels(titles)
        isNew = table.rowCount != len(self._cases)
        table.setRowCount(len(self._cases))
        for position, case in enumerate(self._cases):
            for column in range(len(titles)):
                if table.item(position, column) is None:
                    table.setItem(position, column, qt.QTableWidgetItem(""))
            decision = decisions.get(case.case)
            texts = [
                case.case,
                f"{1 - case.suspicion:.2f}",
                "",
                qualityWord(case.quality),
                "" if decision is None else choiceWord(decision.choice),
            ]
            for column, text in enumerate(texts):
                table.item(position, column).setText(text)
            table.item(position, 0).setData(_CASE_ROLE, case.case)
            trend = table.item(position, 2)
            trend.setIcon(qt.QIcon(sparkline(case.trend, _TREND_COLOR)))
            trend.setToolTip(
                _("Dice of the networks with the given label, epoch by epoch: {values}").format(
                    values=", ".join(f"{value:.2f}" for value in case.trend)
                )
            )
        if isNew:
            table.resizeColumnsToContents()
            table.setColumnWidth(2, WIDTH + 12)
            table.horizontalHeader().setStretchLastSection(True)

    def _explanation(self, decisions: dict[str, ReviewDecision]) -> str:
        if not self._cases:
            return _(
                "After the first epoch of a training, its cases are listed here, those whose label is most doubtful first."
            )
        return _(
            "{count} cases, the most doubtful first; {decided} decided. 'Agreement' is the Dice of the networks with the "
            "given label: 1 means that they draw the same."
        ).format(count=len(self._cases), decided=len(decisions))

    def _select(self, caseName: str | None) -> None:
        for position, case in enumerate(self._cases):
            if case.case == caseName:
                self._ui.reviewTable.selectRow(position)

    @showingErrors
    def _onSelection(self) -> None:
        case = self.selectedCase()
        if self._updating or case is None:
            return
        self.cancel()
        self._showButtons(self._logic.review.decisions())
        reading = self._logic.review.reading(case)
        self._ui.differenceLabel.setText(_("Reading the labels …"))
        self._thread = WorkerThread(reading, lambda material: self._onRead(case, material), self._onShowError)
        self._thread.start()
        self._showEditButton()

    def _onRead(self, case: str, material: ReviewMaterial) -> None:
        self._thread = None
        text = self._placeText(material.disagreement)
        self._runner = StepRunner(
            self._logic.review.showSteps(case, material),
            lambda step: self._ui.differenceLabel.setText(f"{step.text} …"),
            lambda _result: self._onShown(text),
            self._onShowError,
        )

    def _onShown(self, text: str) -> None:
        self._ui.differenceLabel.setText(text)
        self._showEditButton()

    def _onShowError(self, error: Exception) -> None:
        self._thread = None
        self._onShown("")
        with errorsShown():
            raise error

    def _placeText(self, place: Disagreement | None) -> str:
        if place is None:
            return _("The outline is the given label. There is no corrected label, or it is the same.")
        return _(
            "The outline is the given label, the area the corrected one. They differ in {voxels} voxels; the views are "
            "centred on the largest difference."
        ).format(voxels=place.voxels)

    @showingErrors
    def _onAccept(self) -> None:
        self._decided(self._logic.review.acceptCorrection)

    @showingErrors
    def _onKeep(self) -> None:
        self._decided(self._logic.review.keepGiven)

    @showingErrors
    def _onEdit(self) -> None:
        self._logic.review.edit(self.selectedCase())
        self.refresh()

    @showingErrors
    def _onUseEdited(self) -> None:
        self._decided(self._logic.review.useEdited)

    @showingErrors
    def _onWithdraw(self) -> None:
        self._decided(self._logic.review.withdraw)

    @showingErrors
    def _onContinue(self) -> None:
        ensureDependencies(_("AIDE Training"))
        self._logic.continueTraining(self._ui.moreEpochsBox.value)
        self._onContinued()

    def _decided(self, decide: Callable[[str], None]) -> None:
        case = self.selectedCase()
        if case is not None:
            decide(case)
            self.refresh()

    def _showButtons(self, decisions: dict[str, ReviewDecision]) -> None:
        case = self.selectedCase()
        ui, review = self._ui, self._logic.review
        ui.acceptButton.setEnabled(case is not None and review.hasCorrection(case))
        ui.keepButton.setEnabled(case is not None)
        self._showEditButton()
        ui.useEditedButton.setEnabled(case is not None and review.editedNode(case) is not None)
        ui.withdrawButton.setEnabled(case in decisions)
        ended = self._logic.runView().phase in (RunPhase.FINISHED, RunPhase.STOPPED)
        ui.continueButton.setEnabled(bool(self._cases) and ended)

    def _showEditButton(self) -> None:
        """What is being read would be shown over the label that is edited, so that it is waited for."""
        self._ui.editButton.setEnabled(self.selectedCase() is not None and not self.busy)


def choiceWord(choice: Choice) -> str:
    """Return how a decision is shown."""
    return {
        Choice.ACCEPT: _("accepted"),
        Choice.KEEP: _("kept"),
        Choice.EDIT: _("edited"),
    }[choice]
