"""The nodes of the case table written as the dataset of a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import SimpleITK as sitk
from slicer.i18n import tr as _

from AIDELib.case import LabelQuality
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.grid import as_volume
from AIDELib.structure import Structure
from AIDELib.volume import read_grid
from AIDESlicer.node_export import writeLabels
from AIDESlicer.segmentation_snapshot import SegmentationSnapshot, snapshotOfSegments
from AIDESlicer.volume_snapshot import snapshotOfVolume
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.dataset_of_table import caseIds, datasetOf, plannedDataset, usedRows
from AIDETrainingLib.new_folder import newFolder
from AIDETrainingLib.scene_sources import sourceNode
from AIDETrainingLib.stepwise import Step, Steps, ThreadStep

DATASET_FOLDER = "dataset"


def exportDataset(table: CaseTable, folder: Path) -> Steps[Dataset]:
    """Write the nodes of the table as files below `folder`/dataset; files on disk stay where they are.

    One volume or label a step, in a thread. Volumes are written in the world, with their transforms applied;
    segmentations on the grid of their case's first channel. The scene stays as it is. When the work fails or is closed,
    what it wrote is removed.

    Returns (when all steps are done):
        the dataset.

    Raises:
        DatasetError: the table cannot be trained on, or a node is gone.
        RunError: the folder holds files already.
        VolumeError: a node cannot be written, for example because the disk is full.
    """
    # Whatever can be known to be wrong is said before anything is written.
    plannedDataset(table)
    with newFolder(folder):
        paths = yield from _writeAll(table, folder / DATASET_FOLDER)
    return datasetOf(table, lambda row, source: paths.get((row.key, source)) or Path(source.path))


def _writeAll(table: CaseTable, target: Path) -> Steps[dict[tuple[str, Source], Path]]:
    rows = usedRows(table)
    ids = caseIds(rows)
    structures = [structure.toStructure() for structure in table.structures if structure.used]
    paths: dict[tuple[str, Source], Path] = {}
    for index, row in enumerate(rows):
        step = partial(ThreadStep, index / len(rows), _("Writing case {name}").format(name=row.name))
        grid: sitk.Image | None = None
        for channel, image in enumerate(row.images):
            if image is None:
                raise DatasetError(
                    _("Case '{case}' has no volume for channel '{channel}'.").format(
                        case=row.name, channel=table.channels[channel]
                    )
                )
            if image.path:
                grid = grid or (yield step(partial(_gridOf, Path(image.path))))
                continue
            path = target / "images" / f"{ids[row.key]}_{channel:04d}.nrrd"
            written = yield step(partial(snapshotOfVolume(_node(row, image)).write, path))
            grid = grid or written
            paths[row.key, image] = path
        for number, label in enumerate(_labels(row)):
            if label.path:
                continue
            ending = "" if number == 0 else f"_rater{number}"
            path = target / "labels" / f"{ids[row.key]}{ending}.seg.nrrd"
            segments = snapshotOfSegments(_node(row, label), [structure.name for structure in structures])
            yield step(partial(_writeLabel, row.name, segments, structures, grid, path))
            paths[row.key, label] = path
    yield Step(1.0, _("Dataset written"))
    return paths


def _gridOf(path: Path) -> sitk.Image:
    return as_volume(read_grid(path))


def _labels(row: CaseRow) -> Sequence[Source]:
    if row.quality is LabelQuality.UNLABELLED or row.label is None:
        return []
    return list(dict.fromkeys([row.label, *row.raterLabels]))


def _writeLabel(
    case: str, segments: SegmentationSnapshot, structures: Sequence[Structure], grid: sitk.Image, path: Path
) -> None:
    labels = segments.labelsOn(grid)
    if not sitk.GetArrayViewFromImage(labels).any():
        raise DatasetError(
            _(
                "Case '{case}': the segmentation '{segmentation}' is empty or lies outside the volume. "
                "Draw it, move it, or set the case to unlabelled."
            ).format(case=case, segmentation=segments.name)
        )
    writeLabels(labels, structures, path)


def _node(row: CaseRow, source: Source) -> object:
    node = sourceNode(source)
    if node is None:
        raise DatasetError(
            _("Case '{case}': its volume or segmentation was removed from the scene. Choose another.").format(
                case=row.name
            )
        )
    return node
