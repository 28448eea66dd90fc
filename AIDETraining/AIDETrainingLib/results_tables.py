"""The metrics of a run as a Slicer table node, and the comparison with the baseline in words."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from AIDELib.atomic_file import replacing
from AIDELib.errors import RunError
from AIDELib.label_comparison import MetricRow
from AIDELib.model_description import read_model_description
from AIDELib.report import read_report, structure_names
from AIDELib.run_folder import RunFolder
from AIDELib.statistics import METRIC_NAMES

ROLE = "AIDETraining.Results"
BOX_PLOT_FILE = "boxplot.png"


def hasReport(run: RunFolder) -> bool:
    """Return whether the model of a run was measured on test cases."""
    return (run.report_folder / "metrics.csv").is_file()


def metricsTable(run: RunFolder) -> vtk.vtkObject:
    """Return a vtkMRMLTableNode with one row per case and structure and the mean of each structure below.

    The columns are case, structure, DSC, RAVD, ASSD and MSSD; distances in mm, empty cells where undefined. One node is
    made and used again.

    Raises:
        AIDEError: the run has no report, or it is damaged.
    """
    rows = read_report(run.report_folder)
    node = _tableNode()
    with slicer.util.NodeModify(node):
        node.RemoveAllColumns()
        for name, cells in _columns(rows).items():
            array = vtk.vtkStringArray()
            array.SetName(name)
            for cell in cells:
                array.InsertNextValue(cell)
            node.AddColumn(array)
        node.SetUseColumnTitleAsColumnHeader(True)
    return node


def meansOf(run: RunFolder) -> list[list[str]]:
    """Return for each structure its name, the number of cases, and the mean DSC, RAVD, ASSD and MSSD, as texts.

    Raises:
        AIDEError: the run has no report, or it is damaged.
    """
    rows = read_report(run.report_folder)
    return [
        [
            structure,
            str(sum(row.structure == structure for row in rows)),
            *(_cell(_mean(rows, structure, name)) for name in METRIC_NAMES),
        ]
        for structure in structure_names(rows)
    ]


def showTable(node: vtk.vtkObject) -> None:
    """Show a table in Slicer's table view, and the table view where the layout has none."""
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is not None:
        layout.SetViewArrangement(slicer.vtkSlicerTablesLogic.GetLayoutWithTable(layout.GetViewArrangement()))
    applicationLogic = slicer.app.applicationLogic()
    applicationLogic.GetSelectionNode().SetActiveTableID(node.GetID())
    applicationLogic.PropagateTableSelection()


def boxPlotFile(run: RunFolder) -> Path | None:
    """Return the picture of the box plot, None where there is none."""
    file = run.report_folder / BOX_PLOT_FILE
    return file if file.is_file() else None


def exportModel(run: RunFolder, path: Path) -> None:
    """Copy the model of a run to a file, all of it or nothing.

    Raises:
        RunError: there is no model yet, or the file cannot be written.
        ModelError: the model is damaged.
    """
    requireModel(run)
    try:
        with replacing(path) as temporary:
            shutil.copyfile(run.model_file, temporary)
    except OSError as error:
        raise RunError(
            _("The model cannot be written to {path}: {reason}.").format(path=path, reason=error.strerror)
        ) from None


def requireModel(run: RunFolder) -> None:
    """Check that a run has a model that can be used.

    Raises:
        RunError: there is none yet.
        ModelError: it is damaged.
    """
    if not run.model_file.is_file():
        raise RunError(
            _("{folder} holds no model yet; it is written after the first epoch of the training proper.").format(
                folder=run.path
            )
        )
    read_model_description(run.model_file)


def _columns(rows: Sequence[MetricRow]) -> dict[str, list[str]]:
    structures = structure_names(rows)
    columns = {
        _("Case"): [row.case for row in rows] + [_("Mean")] * len(structures),
        _("Structure"): [row.structure for row in rows] + list(structures),
    }
    for name in METRIC_NAMES:
        cells = [_cell(getattr(row.metrics, name)) for row in rows]
        columns[name.upper()] = cells + [_cell(_mean(rows, structure, name)) for structure in structures]
    return columns


def _mean(rows: Sequence[MetricRow], structure: str, name: str) -> float:
    values = [getattr(row.metrics, name) for row in rows if row.structure == structure]
    defined = [value for value in values if math.isfinite(value)]
    return float(np.mean(defined)) if defined else math.nan


def _cell(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ""


def _tableNode() -> vtk.vtkObject:
    for node in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        if node.GetAttribute(ROLE) is not None:
            return node
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", _("AIDE results"))
    node.SetAttribute(ROLE, "metrics")
    return node
