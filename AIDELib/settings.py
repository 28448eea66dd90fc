"""Every constant of a training run, named, typed, validated, and saved with the run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from AIDELib.deformation_range import DeformationRange
from AIDELib.errors import SettingsError


class SlicePlane(str, Enum):
    """The anatomical plane in which volumes are cut; AUTO is across their thickest axis."""

    AUTO = "auto"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Normalization(str, Enum):
    """What the z-score of the intensities is computed over."""

    SLICE = "slice"
    VOLUME = "volume"


class LearningRateSchedule(str, Enum):
    """How the learning rate falls during the training."""

    HALVING = "halving"
    COSINE = "cosine"


class Ranking(str, Enum):
    """What the samples of a batch are ranked by when suspect labels are looked for."""

    LOSS = "loss"
    RELATIVE_LOSS = "relative-loss"
    TEACHER_LOSS = "teacher-loss"


class Consistency(str, Enum):
    """What a suspected sample is compared with its pseudo-label by."""

    SQUARED_DISTANCE = "squared-distance"
    SEGMENTATION_LOSS = "segmentation-loss"


class DiceOver(str, Enum):
    """What the soft Dice loss is taken over."""

    SLICE = "slice"
    BATCH = "batch"


class Precision(str, Enum):
    """Arithmetic of the networks' passes; AUTO is bfloat16 on GPUs that have it, and float32 elsewhere. The losses are
    always computed in float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


def setting(help_text: str, minimum: float | None = None, maximum: float | None = None) -> Any:
    """Return a dataclass field without default that carries its explanation and its allowed range (inclusive)."""
    return field(metadata={"help": help_text, "minimum": minimum, "maximum": maximum})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one run. The presets in `AIDELib.presets` are the instances that users start from.

    Raises:
        SettingsError: a value is of the wrong type or outside its range; the message names the setting.
    """

    # Data
    slice_size: int = setting("largest slice edge in pixels; larger images are resampled more coarsely", 16, 4096)
    slice_plane: SlicePlane = setting(
        "plane in which volumes are cut; auto is across the thickest axis, axial where the voxels are cubes. In cubes, the "
        "plane that shows the most of the structures at once is often the best"
    )
    plane_per_network: bool = setting(
        "whether AIDE's second network sees the slices of another plane where the voxels are nearly cubes, so that the "
        "errors of both differ; suspects, pseudo-labels and corrections then follow from what both predict together after "
        "an epoch; of the settings of consistency, ranking and pseudo-labels consistency_weight and clean_share alone count"
    )
    joint_opinion_memory: float = setting(
        "with a plane per network: share of what both predicted together before that is kept when they predict anew; of "
        "more than 8 structures nothing is kept",
        0,
        0.99,
    )
    normalization: Normalization = setting("intensities are z-scored per slice or per volume")

    # Network
    network: str = setting("name of the network")
    network_width: int = setting("feature maps of the first level; each level below has twice as many", 1, 512)

    # Optimization
    epochs: int = setting("epochs of the training proper, after those of the pretraining", 1, 100_000)
    pretraining_epochs: int = setting("epochs of training on the labelled cases that precede the labelling", 1, 100_000)
    pretrained_start: bool = setting(
        "whether each network starts from a pretrained one, otherwise from random weights; where there is nothing to label, "
        "whether the training is longer by the epochs of the pretraining"
    )
    trusting_epochs: int = setting(
        "how many of the epochs by which the training is longer AIDE learns the labels as they are, before it doubts them",
        0,
        100_000,
    )
    iterations_per_epoch: int = setting("batches per epoch; 0 means every slice once", 0, 1_000_000)
    batch_size: int = setting("slices per batch", 2, 4096)
    trusted_power: float = setting(
        "HQA cases are drawn into batches by their share of all slices to this power; 1 means as often as they occur",
        0,
        1,
    )
    learning_rate: float = setting("of Adam with amsgrad", 1e-8, 1)
    learning_rate_schedule: LearningRateSchedule = setting("halving every so many epochs, or a cosine to zero")
    learning_rate_halving_epochs: int = setting("epochs between two halvings of the learning rate", 1, 100_000)
    averaging: float = setting(
        "decay of the running mean of the weights that predicts; 0 means no averaging", 0, 0.99999
    )
    plain_statistics: bool = setting(
        "whether batch normalization predicts with the statistics of the slices as they are; otherwise with those of the "
        "augmented ones that training saw"
    )
    precision: Precision = setting(
        "arithmetic of the networks' passes; auto is bfloat16 on GPUs that have it and float32 elsewhere; bfloat16 is fast "
        "on processors with instructions for it, too, and ten times slower than float32 on others"
    )
    seed: int = setting("same seed, data, settings and device: same result", 0, 2**31 - 1)

    # Augmentation of the input that the segmentation loss sees
    input_rotation: float = setting("largest rotation of the training input in degrees; 0 means none", 0, 180)
    input_scaling: float = setting("largest relative change of size of the training input; 0 means none", 0, 0.9)
    input_stretch: float = setting(
        "largest change of each axis of the training input for itself, as a natural logarithm; 0 means none", 0, 0.9
    )
    input_warp: float = setting(
        "smooth warping of the training input: standard deviation of the displacements as a share of the slice's shorter "
        "edge; 0 means none",
        0,
        0.2,
    )
    input_flip: bool = setting("whether the training input is flipped left to right at random")
    input_intensity: float = setting(
        "strength of random contrast, brightness, gamma and blur changes; 0 means none", 0, 2
    )
    input_halved_from: int = setting(
        "number of training cases, those with generated labels included, from which on the training input is changed half "
        "as much: many cases show the variety that augmentation makes up for; 0 means never",
        0,
        1_000_000,
    )

    # Losses (paper, eq. 1 and 2)
    cross_entropy_weight: float = setting("alpha of eq. 1", 0, 1000)
    dice_over: DiceOver = setting(
        "the Dice loss of each slice, or of all slices of a batch together, where slices with little or no label do not "
        "outweigh the others; for the segmentation loss"
    )
    dice_smoothing: float = setting("smoothing term of the soft Dice loss", 1e-8, 1000)
    consistency: Consistency = setting(
        "squared distance to the pseudo-label, weighted by its confidence, or segmentation loss on its confident pixels"
    )
    consistency_rotation: float = setting(
        "with the segmentation loss, largest rotation in degrees between the slice that is predicted and the one learned",
        0,
        180,
    )
    consistency_scaling: float = setting(
        "with the segmentation loss, largest relative change of size between both", 0, 0.9
    )
    consistency_stretch: float = setting(
        "with the segmentation loss, largest change of each axis for itself between both, as a natural logarithm",
        0,
        0.9,
    )
    consistency_warp: float = setting(
        "with the segmentation loss, smooth warping between both, as of the training input", 0, 0.2
    )
    consistency_intensity: float = setting(
        "with the segmentation loss, strength of the change of intensity between both", 0, 2
    )
    consistency_mixing: float = setting(
        "with the segmentation loss, probability that a box of the learned slice comes from another one (CutMix)", 0, 1
    )
    consistency_weight: float = setting("weight of the consistency loss of suspected samples", 0, 1000)

    # Local label filtering
    ranking: Ranking = setting(
        "by the loss, by the loss relative to samples with as much foreground, or by that of the averaged network on the "
        "undistorted slice"
    )
    clean_share: float = setting("share of a batch, smallest loss first, whose labels count as clean", 0, 1)
    trust_hqa: bool = setting("whether labels of high quality are exempt from suspicion")
    doubt_generated: bool = setting("whether all labels that a model generated are suspected, whatever their loss")
    warm_up_epochs: int = setting("epochs over which the consistency loss reaches its full weight", 1, 100_000)
    pseudo_label_augmentations: int = setting("augmented predictions averaged into one pseudo-label (K)", 1, 64)
    pseudo_label_rotation: float = setting(
        "largest rotation of these augmentations in degrees; more than the networks have learned spoils the pseudo-labels",
        0,
        180,
    )
    pseudo_label_flip: bool = setting("whether these augmentations flip left to right at random")
    pseudo_label_temperature: float = setting("temperature of the sharpening; 1 means none", 0.01, 1)
    pseudo_label_threshold: float = setting(
        "probability from which a pixel of a pseudo-label counts as confident; for the segmentation loss", 0, 1
    )

    # Global label correction
    correction_share: float = setting("share of the cases, smallest agreement first, whose labels are rewritten", 0, 1)
    correction_first_epoch: int = setting("first epoch after which labels are rewritten", 1, 100_000)
    correction_interval: int = setting("epochs between corrections once the warm-up is over", 1, 100_000)
    correction_needs_consensus: bool = setting(
        "whether a label is rewritten only where the networks agree with each other more than with it"
    )
    correction_margin: float = setting(
        "with consensus: by how much DSC the networks must agree more with each other than with a label that people gave",
        0,
        1,
    )
    volume_calibration: bool = setting(
        "whether predictions are kept as large, all cases together, as the labels that were given"
    )

    # Prediction
    largest_component: bool = setting("whether a prediction keeps only the largest component of each structure")
    ensemble: bool = setting("whether both networks predict together; otherwise the better one alone")

    def __post_init__(self) -> None:
        for field_ in dataclasses.fields(self):
            object.__setattr__(self, field_.name, _validated(field_, getattr(self, field_.name)))
        if self.slice_size % 16:
            raise SettingsError(f"slice_size must be a multiple of 16, got {self.slice_size}.")
        if self.consistency is Consistency.SEGMENTATION_LOSS and self.ranking is not Ranking.TEACHER_LOSS:
            raise SettingsError(
                f"ranking is {self.ranking.value}, but consistency=segmentation-loss needs ranking=teacher-loss: "
                "the loss on a distorted slice says little about its label."
            )
        if self.consistency is Consistency.SQUARED_DISTANCE and self.dice_over is DiceOver.BATCH:
            raise SettingsError(
                "dice_over is batch, but consistency=squared-distance weighs the loss of each slice: it needs "
                "dice_over=slice."
            )

        if self.consistency is Consistency.SQUARED_DISTANCE and self.plane_per_network:
            raise SettingsError(
                "plane_per_network is true, but consistency=squared-distance compares both networks on the same slice: it "
                "needs plane_per_network=false."
            )

    @property
    def input_deformation(self) -> DeformationRange:
        """How far the slices that the networks learn from are deformed."""
        return DeformationRange(
            self.input_rotation, self.input_scaling, self.input_stretch, self.input_warp, self.input_flip
        )

    @property
    def consistency_deformation(self) -> DeformationRange:
        """How far a slice that is learned is deformed against the one that its pseudo-label was predicted on."""
        return DeformationRange(
            self.consistency_rotation,
            self.consistency_scaling,
            self.consistency_stretch,
            self.consistency_warp,
            flip=False,
        )

    def with_input_for(self, case_count: int) -> Settings:
        """Return the settings with the augmentation of the training input that fits a number of training cases."""
        if not self.input_halved_from or case_count < self.input_halved_from:
            return self
        names = ("input_rotation", "input_scaling", "input_stretch", "input_warp", "input_intensity")
        return self.replace(**{name: getattr(self, name) / 2 for name in names})

    def replace(self, **changes: Any) -> Settings:
        """Return a copy with some values changed.

        Raises:
            SettingsError: a name is unknown or a value cannot be used.
        """
        known = [field_.name for field_ in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise SettingsError(f"There is no setting '{name}'. The settings are: {', '.join(known)}.")
        return dataclasses.replace(self, **changes)

    def with_texts(self, assignments: list[str]) -> Settings:
        """Return a copy changed by texts of the form NAME=VALUE, as they are typed on a command line.

        Raises:
            SettingsError: a text has no '=', its name is unknown, or its value cannot be used.
        """
        changes = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            if not equals:
                raise SettingsError(f"A setting is given as NAME=VALUE, got '{assignment}'.")
            changes[name.strip()] = _parsed(text.strip())
        return self.replace(**changes)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {
            name: value.value if isinstance(value, Enum) else value for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Settings:
        """Return the settings that `to_json` wrote.

        Raises:
            SettingsError: a setting is missing, unknown, or has a value it cannot have.
        """
        known = {field_.name for field_ in dataclasses.fields(cls)}
        if set(values) != known:
            raise SettingsError(
                f"The saved settings do not fit this version of AIDE: missing {sorted(known - set(values))}, "
                f"unknown {sorted(set(values) - known)}."
            )
        return cls(**values)


def _parsed(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _validated(field_: dataclasses.Field[Any], value: Any) -> Any:
    kind = _KINDS.get(str(field_.type)) or _ENUMS[str(field_.type)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        allowed = [member.value for member in kind]
        if value not in allowed:
            raise SettingsError(f"{field_.name} must be one of {', '.join(allowed)}, got '{value}'.")
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise SettingsError(f"{field_.name} must be {_KIND_WORDS[kind]}, got '{value}'.")
    minimum, maximum = field_.metadata["minimum"], field_.metadata["maximum"]
    if minimum is not None and not minimum <= value <= maximum:
        raise SettingsError(f"{field_.name} must be between {minimum} and {maximum}, got {value}.")
    return value


_KINDS: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
_ENUMS: dict[str, type[Enum]] = {
    kind.__name__: kind
    for kind in (SlicePlane, Normalization, LearningRateSchedule, Ranking, Consistency, DiceOver, Precision)
}
_KIND_WORDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
