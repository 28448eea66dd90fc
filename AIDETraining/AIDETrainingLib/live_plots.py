"""Loss and Dice of both networks over the epochs as Slicer table, plot series and chart nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from AIDELib.structure import DEFAULT_COLORS

TRAINING_STAGE = "training"
ROLE = "AIDETraining.Plot"
_CHARTS = {"Dice": "agreement", "loss": "loss"}

# The legend lies in the upper right corner, where the curves of a training that succeeds end.
_ROOM_ABOVE = 0.3
_ROOM_BELOW = 0.05
_SMALLEST_SPAN = 1e-3


class LivePlots:
    """The nodes of the plots; they are made when first needed and found again in a reloaded scene."""

    def show(self, events: Iterable[dict[str, Any]]) -> None:
        """Bring the plots up to date with a run's events."""
        # An epoch that was lost with its process is trained again; the last attempt counts.
        last = {
            event["epoch"]: event
            for event in events
            if event.get("event") == "epoch" and event.get("stage") == TRAINING_STAGE
        }
        epochs = [last[epoch] for epoch in sorted(last)]
        networks = max((len(event["loss"]) for event in epochs), default=0)
        table = _node("vtkMRMLTableNode", "table", _("AIDE training progress"))
        columns = _columns(epochs, networks)
        with slicer.util.NodeModify(table):
            table.RemoveAllColumns()
            for name, values in columns.items():
                array = vtk.vtkDoubleArray()
                array.SetName(name)
                for value in values:
                    array.InsertNextValue(value)
                table.AddColumn(array)
        for quantity, key in _CHARTS.items():
            self._updateChart(quantity, table, networks)
            if epochs:
                _showWhole(
                    self.chart(quantity), epochs[-1]["epochs"], [value for event in epochs for value in event[key]]
                )

    def chart(self, quantity: str) -> vtk.vtkObject:
        """Return the chart node of 'Dice' or 'loss'."""
        title = _("Dice with the labels") if quantity == "Dice" else _("Loss")
        chart = _node("vtkMRMLPlotChartNode", quantity, f"AIDE {title}")
        if not chart.GetXAxisTitle():
            chart.SetTitle(title)
            chart.SetXAxisTitle(_("Epoch"))
            chart.SetYAxisTitle(title)
        return chart

    def showInLayout(self, quantity: str) -> None:
        """Show a chart in Slicer's plot view, and the plot view where the layout has none."""
        slicer.modules.plots.logic().ShowChartInLayout(self.chart(quantity))

    def _updateChart(self, quantity: str, table: vtk.vtkObject, networks: int) -> None:
        chart = self.chart(quantity)
        for network in range(networks):
            column = _columnName(quantity, network)
            series = _node("vtkMRMLPlotSeriesNode", f"{quantity}{network}", column)
            if series.GetYColumnName() != column:
                series.SetAndObserveTableNodeID(table.GetID())
                series.SetXColumnName(_("Epoch"))
                series.SetYColumnName(column)
                series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
                series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
                series.SetColor(*(part / 255 for part in DEFAULT_COLORS[4 + network]))
            if not chart.HasPlotSeriesNodeID(series.GetID()):
                chart.AddAndObservePlotSeriesNodeID(series.GetID())


def _columns(epochs: Sequence[dict[str, Any]], networks: int) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {_("Epoch"): [event["epoch"] for event in epochs]}
    for quantity, key in _CHARTS.items():
        for network in range(networks):
            columns[_columnName(quantity, network)] = [event[key][network] for event in epochs]
    return columns


def _showWhole(chart: vtk.vtkObject, planned: int, values: Sequence[float]) -> None:
    """Let the axes show all planned epochs, and all values below the legend."""
    lowest, highest = min(values), max(values)
    span = max(highest - lowest, _SMALLEST_SPAN)
    with slicer.util.NodeModify(chart):
        chart.SetXAxisRangeAuto(False)
        chart.SetXAxisRange(0, planned)
        chart.SetYAxisRangeAuto(False)
        chart.SetYAxisRange(lowest - _ROOM_BELOW * span, highest + _ROOM_ABOVE * span)


def _columnName(quantity: str, network: int) -> str:
    text = _("Dice, network {number}") if quantity == "Dice" else _("Loss, network {number}")
    return text.format(number=network + 1)


def _node(className: str, role: str, name: str) -> vtk.vtkObject:
    for node in slicer.util.getNodesByClass(className):
        if node.GetAttribute(ROLE) == role:
            return node
    node = slicer.mrmlScene.AddNewNodeByClass(className, name)
    node.SetAttribute(ROLE, role)
    return node
