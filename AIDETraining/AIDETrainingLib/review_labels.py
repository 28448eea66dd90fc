"""The labels that are reviewed, as index maps on the grid of their case, and the decisions about them as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
from slicer.i18n import tr as _

from AIDELib.case import Case
from AIDELib.dataset import Dataset, find_case
from AIDELib.errors import RunError
from AIDELib.grid import as_volume
from AIDELib.label import read_label
from AIDELib.label_disagreement import Disagreement, largest_disagreement
from AIDELib.review import ReviewedCase
from AIDELib.review_decision import Choice, ReviewDecision, save_decision
from AIDELib.run_folder import RunFolder
from AIDELib.structure import Structure
from AIDELib.volume import read_grid, read_image
from AIDESlicer.node_export import writeLabels


@dataclass(frozen=True)
class ReviewLabels:
    """The two labels of a reviewed case.

    Attributes:
        given: the label that the case came with or was generated for it; 0 background, i + 1 = structure i; 3D.
        corrected: the networks' label on the same grid; None where there is none yet.
    """

    given: sitk.Image
    corrected: sitk.Image | None


@dataclass(frozen=True)
class ReviewMaterial:
    """All that is shown of a reviewed case.

    Attributes:
        labels: its two labels.
        disagreement: where they differ most; None where they do not, or there is one only.
        image: the first channel, where it is not in the scene.
    """

    labels: ReviewLabels
    disagreement: Disagreement | None
    image: sitk.Image | None


def readReviewMaterial(run: RunFolder, dataset: Dataset, reviewed: ReviewedCase, withImage: bool) -> ReviewMaterial:
    """Return what is shown of a reviewed case. Touches no node, so that a thread can read it.

    Raises:
        AIDEError: the case is not in the dataset, or a file cannot be read.
    """
    labels = readReviewLabels(run, dataset, reviewed)
    image = as_volume(read_image(find_case(dataset, reviewed.case).images[0])) if withImage else None
    place = None if labels.corrected is None else largest_disagreement(labels.given, labels.corrected)
    return ReviewMaterial(labels, place, image)


def readReviewLabels(run: RunFolder, dataset: Dataset, reviewed: ReviewedCase) -> ReviewLabels:
    """Return the labels of a reviewed case.

    Raises:
        AIDEError: the case is not in the dataset, or a file cannot be read.
    """
    case = find_case(dataset, reviewed.case)
    given = _read(run.path / reviewed.given, dataset, case)
    corrected = correctedFile(run, reviewed)
    return ReviewLabels(given, None if corrected is None else _read(corrected, dataset, case))


def correctedFile(run: RunFolder, reviewed: ReviewedCase) -> Path | None:
    """Return the networks' label of a case: their joint one at the end of the training, before that of one of them."""
    suggestion = run.path / reviewed.suggestion if reviewed.suggestion else None
    if suggestion is not None and suggestion.is_file():
        return suggestion
    return next(iter(sorted(run.corrected_folder.glob(f"*/{_escaped(reviewed.case)}.seg.nrrd"))), None)


def decide(run: RunFolder, case: str, choice: Choice, labels: sitk.Image, structures: tuple[Structure, ...]) -> Path:
    """Record a decision with its label in the run, and return the file of the label.

    The label is written with the names of the structures, so that it means the same in any dataset.

    Raises:
        AIDEError: the run cannot be written; an earlier decision then stays.
    """
    # The file of an earlier decision is in use until the new one is recorded.
    path = run.reviewed_folder / f"{case}.{choice.value}.seg.nrrd"
    writeLabels(labels, structures, path)
    save_decision(run, ReviewDecision(case, choice, path))
    return path


def requireCorrected(labels: ReviewLabels, case: str) -> sitk.Image:
    """Return the corrected label.

    Raises:
        RunError: there is none yet.
    """
    if labels.corrected is None:
        raise RunError(
            _(
                "Case '{case}' has no corrected label yet. The networks write it when they correct the "
                "case, at the latest at the end of the training."
            ).format(case=case)
        )
    return labels.corrected


def _read(path: Path, dataset: Dataset, case: Case) -> sitk.Image:
    return as_volume(read_label(path, dataset.structures, read_grid(case.images[0]), case.images))


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "[]*?" else letter for letter in name)
