"""The comparison of a run with its baseline in words."""

from __future__ import annotations

import json
from typing import Any

from slicer.i18n import tr as _

from AIDELib.errors import RunError
from AIDELib.run_folder import RunFolder

_METRIC = "DSC"


def comparisonText(run: RunFolder) -> str:
    """Return one line per structure: the mean DSC of both methods and how likely such a difference is by chance.

    Empty where the run was not compared.

    Raises:
        RunError: the comparison is damaged.
    """
    if not run.comparison_file.is_file():
        return ""
    try:
        document = json.loads(run.comparison_file.read_text(encoding="utf-8"))
        rows = [row for row in document["rows"] if row["metric"] == _METRIC]
        return "\n".join(_line(row, document["second"]) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            _("{file} is damaged ({reason}).").format(file=run.comparison_file, reason=repr(error))
        ) from None


def _line(row: dict[str, Any], baseline: str) -> str:
    if row["first_mean"] is None or row["second_mean"] is None:
        return _("{structure}: no case could be compared.").format(structure=row["structure"])
    text = _("{structure}: DSC {first} with AIDE, {second} with {baseline} training ({count} cases").format(
        structure=row["structure"],
        first=f"{row['first_mean']:.3f}",
        second=f"{row['second_mean']:.3f}",
        baseline=baseline,
        count=row["cases"],
    )
    return f"{text}, {_probability(row['p'])})."


def _probability(p: float | None) -> str:
    if p is None:
        return _("too few for a p value")
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}"
