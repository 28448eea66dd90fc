"""The settings that users start from."""

from __future__ import annotations

from AIDELib.errors import SettingsError
from AIDELib.settings import (
    Consistency,
    DiceOver,
    LearningRateSchedule,
    Normalization,
    Precision,
    Ranking,
    Settings,
    SlicePlane,
)

# The values of the paper and of its authors' published training scripts.
PAPER = Settings(
    slice_size=256,
    slice_plane=SlicePlane.AUTO,
    plane_per_network=False,
    joint_opinion_memory=0.0,
    normalization=Normalization.SLICE,
    network="multi-stream-unet",
    network_width=32,
    epochs=100,
    pretraining_epochs=100,
    pretrained_start=False,
    trusting_epochs=0,
    iterations_per_epoch=0,
    batch_size=4,
    trusted_power=1.0,
    learning_rate=1e-4,
    learning_rate_schedule=LearningRateSchedule.HALVING,
    learning_rate_halving_epochs=30,
    averaging=0.0,
    plain_statistics=False,
    precision=Precision.FLOAT32,
    seed=0,
    input_rotation=0.0,
    input_scaling=0.0,
    input_stretch=0.0,
    input_warp=0.0,
    input_flip=False,
    input_intensity=0.0,
    input_halved_from=0,
    cross_entropy_weight=1.0,
    dice_over=DiceOver.SLICE,
    dice_smoothing=1.0,
    consistency=Consistency.SQUARED_DISTANCE,
    consistency_rotation=0.0,
    consistency_scaling=0.0,
    consistency_stretch=0.0,
    consistency_warp=0.0,
    consistency_intensity=0.0,
    consistency_mixing=0.0,
    consistency_weight=10.0,
    ranking=Ranking.LOSS,
    clean_share=0.5,
    trust_hqa=False,
    doubt_generated=False,
    warm_up_epochs=20,
    pseudo_label_augmentations=4,
    pseudo_label_rotation=60.0,
    pseudo_label_flip=True,
    pseudo_label_temperature=1.0,
    pseudo_label_threshold=0.0,
    correction_share=0.25,
    correction_first_epoch=1,
    correction_interval=10,
    correction_needs_consensus=False,
    correction_margin=0.0,
    volume_calibration=False,
    largest_component=True,
    ensemble=False,
)

# Better-working values where they were measured (see Docs/evidence.md and Docs/tried.md); for a real training.
STANDARD = PAPER.replace(
    plane_per_network=True,
    joint_opinion_memory=0.6,
    network="leaky-multi-stream-unet",
    network_width=16,
    epochs=30,
    pretraining_epochs=10,
    pretrained_start=True,
    trusting_epochs=10,
    iterations_per_epoch=250,
    batch_size=8,
    trusted_power=0.5,
    learning_rate=1e-3,
    learning_rate_schedule=LearningRateSchedule.COSINE,
    averaging=0.99,
    plain_statistics=True,
    precision=Precision.AUTO,
    input_rotation=20.0,
    input_scaling=0.3,
    input_stretch=0.2,
    input_warp=0.04,
    input_intensity=0.5,
    input_halved_from=20,
    dice_over=DiceOver.BATCH,
    consistency=Consistency.SEGMENTATION_LOSS,
    consistency_rotation=15.0,
    consistency_scaling=0.15,
    consistency_intensity=0.7,
    consistency_mixing=0.5,
    consistency_weight=1.0,
    ranking=Ranking.TEACHER_LOSS,
    trust_hqa=True,
    doubt_generated=True,
    warm_up_epochs=8,
    pseudo_label_augmentations=1,
    pseudo_label_rotation=0.0,
    pseudo_label_flip=False,
    pseudo_label_threshold=0.0,
    correction_first_epoch=4,
    correction_interval=2,
    correction_needs_consensus=True,
    correction_margin=0.1,
    volume_calibration=True,
    ensemble=True,
)

# A first look within minutes on a laptop.
QUICK = STANDARD.replace(
    slice_size=128,
    network_width=8,
    epochs=3,
    pretraining_epochs=13,
    iterations_per_epoch=100,
    warm_up_epochs=1,
    correction_first_epoch=2,
)

PRESETS = {"quick": QUICK, "standard": STANDARD, "paper": PAPER}


def preset(name: str) -> Settings:
    """Return the preset of that name.

    Raises:
        SettingsError: there is no such preset.
    """
    if name not in PRESETS:
        raise SettingsError(f"There is no preset '{name}'. The presets are: {', '.join(PRESETS)}.")
    return PRESETS[name]
