"""Label review: the cases ranked by how far the networks disagree with the label that they were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from AIDELib.case import LabelQuality
from AIDELib.errors import RunError
from AIDELib.json_document import DocumentError, text
from AIDELib.run_folder import RunFolder
from AIDELib.sealed_document import is_there, read_sealed

# Of the trends of all cases, and of the corrections of each network: with names and paths the document of 20,000 cases then
# stays below what documents may have.
MOST_VALUES = 300_000


@dataclass(frozen=True)
class ReviewedCase:
    """What the networks think of one training case's given (or generated) label.

    Attributes:
        case: its id.
        quality: worth of its label.
        suspicion: 1 - mean over the networks of the DSC of their prediction with the given label; 0 to 1. Where each
            network sees a plane of its own, the DSC is that of what they predict together.
        trend: that mean DSC after each epoch; of many cases over many epochs after some of them.
        corrected_at: for each network, the epochs after which it rewrote the label; of very many the latest.
        suggestion: file with the networks' joint prediction, relative to the run folder; None for trusted labels. It is
            written at the end of the training.
        given: file with the label that the case came with, or was given by the pretrained model; a relative path is one in
            the run folder.
    """

    case: str
    quality: LabelQuality
    suspicion: float
    trend: tuple[float, ...]
    corrected_at: tuple[tuple[int, ...], ...]
    suggestion: str | None
    given: str


def rank(cases: Sequence[ReviewedCase]) -> list[ReviewedCase]:
    """Return the cases, most suspect first; ties by id."""
    return sorted(cases, key=lambda case: (-case.suspicion, case.case))


def review_document(cases: Sequence[ReviewedCase]) -> dict[str, Any]:
    """Return the ranked cases as JSON values, of a size that documents may have, however many epochs there were."""
    values = max(2, MOST_VALUES // max(1, len(cases)))
    return {"format": "aide-review/1", "cases": [asdict(_shortened(case, values)) for case in rank(cases)]}


def _shortened(case: ReviewedCase, values: int) -> ReviewedCase:
    return replace(
        case,
        trend=tuple(thinned(case.trend, values)),
        corrected_at=tuple(epochs[-values:] for epochs in case.corrected_at),
    )


def thinned(values: Sequence[float], count: int) -> list[float]:
    """Return at most `count` (2 or more) of the values, evenly spaced, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(index * (len(values) - 1) / (count - 1))] for index in range(count)]


def read_review(run: RunFolder) -> list[ReviewedCase]:
    """Return the ranked cases of a run.

    Raises:
        RunError: the run has no review yet, or its file is damaged.
    """
    if not is_there(run.review_file):
        raise RunError(
            f"{run.path} has no label review yet; it is written after the first epoch of the training proper."
        )
    try:
        entries = read_sealed(run.review_file)["cases"]
        return [_parse(entry) for entry in entries]
    except (DocumentError, OSError) as error:
        raise RunError(f"{run.review_file} cannot be used: {error}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{run.review_file} is damaged ({error!r}).") from None


def _parse(entry: dict[str, Any]) -> ReviewedCase:
    suggestion = entry["suggestion"]
    if suggestion is not None and (Path(suggestion).is_absolute() or ".." in Path(suggestion).parts):
        raise ValueError(f"the suggestion '{suggestion}' lies outside the run folder")
    return ReviewedCase(
        case=text(entry["case"]),
        quality=LabelQuality(entry["quality"]),
        suspicion=float(entry["suspicion"]),
        trend=tuple(float(value) for value in entry["trend"]),
        corrected_at=tuple(tuple(int(epoch) for epoch in epochs) for epochs in entry["corrected_at"]),
        suggestion=suggestion,
        given=text(entry["given"]),
    )
