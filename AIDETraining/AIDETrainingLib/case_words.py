"""Names for the user of what AIDELib names for files."""

from __future__ import annotations

from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split


def qualityWord(quality: LabelQuality) -> str:
    """Return how a quality is shown."""
    return {LabelQuality.HQA: _("HQA"), LabelQuality.LQA: _("LQA"), LabelQuality.UNLABELLED: _("unlabelled")}[quality]


def qualityExplanation(quality: LabelQuality) -> str:
    """Return a quality with what it means."""
    return {
        LabelQuality.HQA: _("HQA: careful label, trusted"),
        LabelQuality.LQA: _("LQA: rough label, may be corrected"),
        LabelQuality.UNLABELLED: _("Unlabelled: used without a label"),
    }[quality]


def splitWord(split: Split) -> str:
    """Return how a split is shown."""
    return {Split.TRAIN: _("training"), Split.VAL: _("validation"), Split.TEST: _("test")}[split]


def splitExplanation(split: Split) -> str:
    """Return a split with what it means."""
    return {
        Split.TRAIN: _("Training"),
        Split.VAL: _("Validation: choosing the best model"),
        Split.TEST: _("Test: measuring the finished model"),
    }[split]
