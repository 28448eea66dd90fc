"""What a model says about itself, as a text with colours for the panel."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from slicer.i18n import tr as _

from AIDELib.structure import Structure
from AIDESegmentationLib.model_library import LibraryModel


def modelCard(model: LibraryModel) -> str:
    """Return HTML that says what a model segments, on which channels, how it was trained and how well it did."""
    if model.description is None:
        return f"<p>{escape(model.problem)}</p>"
    description = model.description
    rows = [
        (_("Segments"), "<br>".join(_swatch(structure) for structure in description.structures)),
        (_("On"), escape(", ".join(description.channels))),
    ]
    rows += [(title, escape(text)) for title, text in _training(description.training)]
    cells = "".join(
        f'<tr><td style="padding-right:8px"><i>{title}</i></td><td>{text}</td></tr>' for title, text in rows if text
    )
    return f'<table cellspacing="2">{cells}</table>'


def _swatch(structure: Structure) -> str:
    red, green, blue = structure.color
    return f'<span style="color:#{red:02x}{green:02x}{blue:02x}">&#9632;</span> {escape(structure.name)}'


def _training(training: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return title and text of what is known about the training; another version may say less or more."""
    counts = training.get("cases") or {}
    score = training.get("score") or {}
    return [
        (
            _("Method"),
            " ".join(part for part in (_methodName(training.get("method")), _taskName(training.get("task"))) if part),
        ),
        (_("Learned from"), ", ".join(_countText(kind, count) for kind, count in counts.items() if count)),
        (_("Best epoch"), _number(training.get("epoch"))),
        (_("Reached"), _scoreText(score)),
    ]


def _methodName(method: Any) -> str:
    names = {
        "aide": _("AIDE"),
        "supervised": _("conventional training on good labels alone"),
        "conventional": _("conventional training"),
        "pseudo-label": _("pseudo-labels"),
        "co-teaching": _("co-teaching"),
    }
    return names.get(str(method), str(method or ""))


def _taskName(task: Any) -> str:
    names = {
        "supervised learning": _("(all labels good)"),
        "semi-supervised learning": _("(few cases labelled)"),
        "unsupervised domain adaptation": _("(labels from another scanner or protocol)"),
        "noisy-label learning": _("(some labels rough)"),
    }
    return names.get(str(task), "")


def _countText(kind: Any, count: Any) -> str:
    names = {
        "hqa": _("{count} cases with good labels"),
        "lqa": _("{count} with rough labels"),
        "unlabelled": _("{count} without labels"),
    }
    return names.get(str(kind).lower(), "{count} " + str(kind)).format(count=count)


def _scoreText(score: Any) -> str:
    if not isinstance(score, Mapping) or not isinstance(score.get("value"), int | float):
        return ""
    value = f"{score['value']:.2f}"
    kinds = {
        "validation": _("Dice {value} on validation cases"),
        "training": _("Dice {value} on its training cases, which says little about new ones"),
    }
    for kind, text in kinds.items():
        if kind in str(score.get("kind", "")).lower():
            return text.format(value=value)
    return _("Dice {value}").format(value=value)


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else ""
