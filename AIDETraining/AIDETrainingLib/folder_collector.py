"""Cases found in a folder or a dataset.json; images and labels stay on disk and are not loaded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError
from AIDELib.readers import LAYOUTS
from AIDELib.readers.folder import find_cases, labels_in
from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures
from AIDELib.segmentation_file import is_unchecked
from AIDELib.structure import Structure
from AIDETrainingLib.case_names import patientsOfNames
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.folder_layout import guessLayout, ownDatasetFile
from AIDETrainingLib.stepwise import Steps, ThreadStep
from AIDETrainingLib.table_addition import addRows


def collectFromPath(table: CaseTable, path: Path) -> Steps[list[str]]:
    """Add the cases of a dataset.json or of a folder in one of the known layouts.

    Returns (when all steps are done):
        the keys of the new rows.

    Raises:
        AIDEError: nothing usable is there, or it does not fit the table; the table is then as before.
    """
    datasetFile = ownDatasetFile(path)
    if datasetFile is not None:
        text = _("Reading {name}").format(name=datasetFile.name)
        dataset = yield ThreadStep(0.0, text, partial(load_dataset, datasetFile))
        rows = [
            CaseRow(
                name=case.id,
                images=tuple(map(Source.ofFile, case.images)),
                label=case.label and Source.ofFile(case.label),
                quality=case.quality,
                split=case.split,
                patient=case.patient,
                domain=case.domain,
                raterLabels=tuple(map(Source.ofFile, case.rater_labels)),
            )
            for case in dataset.cases
        ]
        return addRows(table, dataset.channels, dataset.structures, rows)
    if not path.is_dir():
        raise DatasetError(_("{path} is neither a folder nor a dataset.json of AIDE.").format(path=path))
    layout = guessLayout(path)
    find = find_cases if layout == "folder" else LAYOUTS[layout].read
    found = yield ThreadStep(0.0, _("Looking through {name}").format(name=path.name), partial(find, path))
    structures = found.structures or (yield from _readStructures(found.cases))
    return addRows(table, found.channels, structures, _rowsOf(found))


def collectFromFiles(table: CaseTable, files: Sequence[Path]) -> list[str]:
    """Add image files as unlabelled cases of the first channel, and return the keys of the new rows."""
    names = [file.name.split(".")[0] for file in files]
    patients = patientsOfNames(names)
    gaps = (None,) * (len(table.channels) - 1)
    return table.addRows(
        [
            CaseRow(name=name, images=(Source.ofFile(file), *gaps), patient=patient)
            for file, name, patient in zip(files, names, patients, strict=True)
        ]
    )


def _readStructures(cases: Sequence[FoundCase]) -> Steps[tuple[Structure, ...]]:
    """Return the structures in all labels; each step reads one label file."""
    values: dict[str, int] = {}
    labelled = [case for case in cases if case.labels]
    for index, case in enumerate(labelled):
        text = _("Reading the labels: {name}").format(name=case.id)
        values |= yield ThreadStep(index / len(labelled), text, partial(labels_in, case.labels[0], dict(values)))
    return named_structures([(name, [value]) for name, value in sorted(values.items(), key=lambda pair: pair[1])])


def _rowsOf(found: FoundCases) -> list[CaseRow]:
    patients = patientsOfNames([case.id for case in found.cases])
    return [_rowOf(case, patient) for case, patient in zip(found.cases, patients, strict=True)]


def _rowOf(case: FoundCase, patient: str) -> CaseRow:
    """Return the row of a case with the label of the first rater; labels of several raters are never mixed."""
    row = CaseRow(name=case.id, images=tuple(map(Source.ofFile, case.images)), patient=patient, domain=case.domain)
    label = case.label_by_rater.get(1)
    if label is None:
        return row
    return row.replace(
        label=Source.ofFile(label),
        quality=LabelQuality.LQA if is_unchecked(label) else LabelQuality.HQA,
        split=Split.TEST if case.is_for_testing else Split.TRAIN,
        raterLabels=tuple(map(Source.ofFile, case.labels)) if len(case.labels) > 1 else (),
    )
