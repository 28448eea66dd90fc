"""Section 4 of the panel: the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from AIDESlicer.error_display import showingErrors
from AIDETrainingLib.comparison_text import comparisonText
from AIDETrainingLib.results_tables import boxPlotFile, hasReport, meansOf, metricsTable, showTable

_PLOT_WIDTH = 360
_HIGHEST_TABLE = 150
# The frame of a table with its horizontal scroll bar.
_FRAME = 22
_MODEL_ENDING = ".aide"


class ResultsSection:
    """Shows what was measured, and hands on the model.

    Args:
        ui: the widgets of ResultsSection.ui.
        logic: the module's logic.
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        self._ui = ui
        self._logic = logic
        ui.meansTable.verticalHeader().setVisible(False)
        ui.showTableButton.connect("clicked()", self._onShowTable)
        ui.exportModelButton.connect("clicked()", self._onExport)
        ui.openSegmentationButton.connect("clicked()", self._onOpen)

    @showingErrors
    def refresh(self) -> None:
        """Show the results of the run as they are now."""
        run = self._logic.run()
        hasModel = run is not None and run.model_file.is_file()
        measured = run is not None and hasReport(run)
        self._ui.exportModelButton.setEnabled(hasModel)
        self._ui.openSegmentationButton.setEnabled(hasModel)
        self._ui.showTableButton.setEnabled(measured)
        self._ui.resultsLabel.setText(_explanation(hasModel, measured))
        self._ui.meansTable.setVisible(measured)
        self._fillMeans(meansOf(run) if measured else [])
        comparison = comparisonText(run) if run is not None else ""
        self._ui.comparisonLabel.setText(comparison)
        self._ui.comparisonLabel.setVisible(bool(comparison))
        self._showPlot(boxPlotFile(run) if measured else None)

    def _fillMeans(self, rows: list[list[str]]) -> None:
        table = self._ui.meansTable
        titles = [_("Structure"), _("Cases"), "DSC", "RAVD", "ASSD (mm)", "MSSD (mm)"]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        table.setRowCount(len(rows))
        for position, cells in enumerate(rows):
            for column, text in enumerate(cells):
                table.setItem(position, column, qt.QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        heights = sum(table.rowHeight(position) for position in range(len(rows)))
        table.setFixedHeight(min(_HIGHEST_TABLE, table.horizontalHeader().sizeHint.height() + heights + _FRAME))

    def _showPlot(self, file: Path | None) -> None:
        pixmap = qt.QPixmap(str(file)) if file is not None else qt.QPixmap()
        visible = not pixmap.isNull()
        self._ui.boxPlotLabel.setVisible(visible)
        if visible:
            self._ui.boxPlotLabel.setPixmap(pixmap.scaledToWidth(_PLOT_WIDTH, qt.Qt.SmoothTransformation))
        else:
            self._ui.boxPlotLabel.clear()

    @showingErrors
    def _onShowTable(self) -> None:
        showTable(metricsTable(self._logic.run()))

    @showingErrors
    def _onExport(self) -> None:
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(),
            _("Export model"),
            f"model{_MODEL_ENDING}",
            _("AIDE models ({ending})").format(ending=f"*{_MODEL_ENDING}"),
        )
        if path:
            chosen = Path(str(path))
            self._logic.exportModel(chosen if chosen.suffix else chosen.with_suffix(_MODEL_ENDING))

    @showingErrors
    def _onOpen(self) -> None:
        self._logic.openInSegmentation()


def _explanation(hasModel: bool, measured: bool) -> str:
    if not hasModel:
        return _("There is no model yet.")
    if not measured:
        return _("The model is ready. It is measured when the training has finished, if there are labelled test cases.")
    return _("The model was measured on the test cases, which it never saw in training. Means:")
