"""qMRMLPlotWidget: the chart that a plot view node shows."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .render_view import RenderView


class qMRMLPlotView(RenderView):
    """The picture of a chart node, drawn by VTK's charts as the real view does."""

    dataSelected = QtCore.Signal(object, object)

    def __init__(self, view_node: Any = None, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_node = view_node
        self._context_view = vtk.vtkContextView()
        self._context_view.SetRenderWindow(self._render_window)
        self._context_view.GetRenderer().SetBackground(1, 1, 1)
        self._render_window.RemoveRenderer(self._renderer)
        self._renderer = self._context_view.GetRenderer()
        self._chart = vtk.vtkChartXY()
        self._context_view.GetScene().AddItem(self._chart)

    def mrmlPlotViewNode(self) -> Any:
        return self._view_node

    def setMRMLPlotViewNode(self, view_node: Any) -> None:
        self._view_node = view_node
        self.update()

    def setMRMLScene(self, _scene: Any) -> None:
        """The view node knows its scene."""

    def chart(self) -> Any:
        return self._chart

    def fitToContent(self) -> None:
        self._chart.RecalculateBounds()
        self.update()

    def updateMRMLFromView(self) -> None:
        """Selections made in the chart are not kept."""

    def _picture(self) -> QtGui.QImage:
        self._draw()
        return super()._picture()

    def _draw(self) -> None:
        self._chart.ClearPlots()
        chart_node = self._view_node.GetPlotChartNode() if self._view_node is not None else None
        self._chart.SetVisible(chart_node is not None)
        if chart_node is None:
            return
        self._draw_texts(chart_node)
        for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
            series = chart_node.GetNthPlotSeriesNode(index)
            if series is not None and series.GetTableNode() is not None:
                self._draw_series(series)
        self._draw_ranges(chart_node)
        self._chart.RecalculateBounds()

    def _draw_ranges(self, chart_node: Any) -> None:
        ranges = {
            vtk.vtkAxis.BOTTOM: (chart_node.GetXAxisRangeAuto(), chart_node.GetXAxisRange()),
            vtk.vtkAxis.LEFT: (chart_node.GetYAxisRangeAuto(), chart_node.GetYAxisRange()),
        }
        for position, (automatic, limits) in ranges.items():
            axis = self._chart.GetAxis(position)
            axis.SetBehavior(vtk.vtkAxis.AUTO if automatic else vtk.vtkAxis.FIXED)
            if not automatic:
                axis.SetUnscaledRange(*limits)

    def _draw_texts(self, chart_node: Any) -> None:
        self._chart.SetTitle(chart_node.GetTitle() or "" if chart_node.GetTitleVisibility() else "")
        self._chart.SetShowLegend(bool(chart_node.GetLegendVisibility()))
        titles = {vtk.vtkAxis.BOTTOM: chart_node.GetXAxisTitle(), vtk.vtkAxis.LEFT: chart_node.GetYAxisTitle()}
        for axis, title in titles.items():
            self._chart.GetAxis(axis).SetTitle(title or "")
            self._chart.GetAxis(axis).SetGridVisible(bool(chart_node.GetGridVisibility()))

    def _draw_series(self, series: Any) -> None:
        node_class = slicer.vtkMRMLPlotSeriesNode
        table = series.GetTableNode().GetTable()
        y_name = series.GetYColumnName()
        if not y_name or table.GetColumnByName(y_name) is None or not table.GetNumberOfRows():
            return
        kinds = {node_class.PlotTypeBar: vtk.vtkChart.BAR, node_class.PlotTypeScatterBar: vtk.vtkChart.BAR}
        plot = self._chart.AddPlot(kinds.get(series.GetPlotType(), vtk.vtkChart.LINE))
        x_name = series.GetXColumnName()
        x_is_number = x_name and isinstance(table.GetColumnByName(x_name), vtk.vtkDataArray)
        if x_is_number and series.GetPlotType() in (node_class.PlotTypeScatter, node_class.PlotTypeScatterBar):
            plot.SetInputData(table, x_name, y_name)
        else:
            plot.SetUseIndexForXSeries(True)
            plot.SetInputData(table, y_name, y_name)
        red, green, blue = (round(255 * value) for value in series.GetColor())
        plot.SetColor(red, green, blue, round(255 * series.GetOpacity()))
        plot.SetLabel(series.GetName() or "")
        if isinstance(plot, vtk.vtkPlotLine):
            plot.SetWidth(series.GetLineWidth())
            plot.GetPen().SetLineType(series.GetLineStyle())
            plot.SetMarkerStyle(series.GetMarkerStyle())
            plot.SetMarkerSize(series.GetMarkerSize())


class qMRMLPlotWidget(QtWidgets.QWidget):
    """A plot view and its controller."""

    def __init__(self, view_node: Any = None, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = QtWidgets.QFrame(self)
        self._controller.setFixedHeight(20)
        self._controller.styleSheet = "QFrame { background: #e0e0a0; }"
        self._view = qMRMLPlotView(view_node, self)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    def plotView(self) -> qMRMLPlotView:
        return self._view

    def plotController(self) -> QtWidgets.QFrame:
        return self._controller

    def mrmlPlotViewNode(self) -> Any:
        return self._view.mrmlPlotViewNode()

    def setMRMLPlotViewNode(self, view_node: Any) -> None:
        self._view.setMRMLPlotViewNode(view_node)

    def release(self) -> None:
        """Let go of the scene."""
        self._view.setMRMLPlotViewNode(None)
        self._view.release()
