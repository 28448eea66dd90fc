"""Labels before and after their correction, as in the paper's Fig. 2."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from AIDELib.grid import as_volume
from AIDELib.run_folder import RunFolder
from Testing.Benchmarks.charts import LabelledSlice, draw_corrections
from Testing.Benchmarks.experiment import TrainingSet
from Testing.Benchmarks.outcome import LabelOutcome
from Testing.Benchmarks.training_labels import TrainingLabels, read_training_labels


def picture_corrections(
    run: RunFolder, training_set: TrainingSet, outcomes: tuple[LabelOutcome, ...], path: Path
) -> None:
    """Draw the label that gained most by correction, the one in the middle, and the one that gained least.

    Nothing is drawn where no label that was not the true one has a known truth.

    Args:
        outcomes: what became of the labels, as `analyse_labels` has it.
    """
    gains = {
        outcome.case: outcome.current_true - outcome.given_true
        for outcome in outcomes
        if outcome.current_true is not None and outcome.given_true is not None and outcome.given_true < 1
    }
    if not gains:
        return
    ranked = sorted(gains, key=lambda case: -gains[case])
    shown = list(dict.fromkeys([ranked[0], ranked[len(ranked) // 2], ranked[-1]]))
    own = {labels.case: labels for labels in read_training_labels(run, training_set) if labels.case in shown}
    draw_corrections([_slice(own[case], gains[case]) for case in shown], path)


def _slice(labels: TrainingLabels, gain: float) -> LabelledSlice:
    """Return the slice of the image file in which the given label errs most; a 2D image as it is."""
    assert labels.true is not None
    volumes = {
        "given": labels.given,
        "corrected": labels.current[0],
        "predicted": labels.suggested,
        "true": labels.true,
    }
    slices = {name: label.reshape(-1, *label.shape[-2:]) for name, label in volumes.items()}
    z = int((slices["given"] != slices["true"]).sum(axis=(1, 2)).argmax())
    spacing = labels.image.GetSpacing()
    return LabelledSlice(
        title=f"{labels.case}: DSC {gain:+.3f}",
        image=sitk.GetArrayFromImage(as_volume(labels.image))[z].astype(float),
        labels={name: label[z] for name, label in slices.items()},
        aspect=spacing[1] / spacing[0],
    )
