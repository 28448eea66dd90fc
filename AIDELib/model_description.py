"""What a model file says about the model, readable without its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from AIDELib import __version__
from AIDELib.container_document import ContainerError, opened_container, read_document
from AIDELib.dataset import MAXIMUM_CHANNELS, MAXIMUM_STRUCTURES, require_names
from AIDELib.errors import DatasetError, ModelError
from AIDELib.json_document import text
from AIDELib.settings import Normalization
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.structure import LARGEST_VALUE, Structure

FORMAT = "aide-model/1"
# With networks that differ in their planes or have offsets: versions that know of neither refuse it instead of predicting
# something else.
FORMAT_OF_NETWORKS_APART = "aide-model/2"
ENDING = ".aide"
DOCUMENT_NAME = "model.json"
MAXIMUM_WIDTH = 512
MAXIMUM_NETWORKS = 16
# In mm: from electron microscopy to whole bodies in few pixels.
SMALLEST_SPACING, LARGEST_SPACING = 1e-6, 1e4
LARGEST_SLICE = 4096
SIZE_BEFORE_IT_WAS_SAVED = (16, 16)
LARGEST_OFFSET = 100.0


@dataclass(frozen=True)
class ModelDescription:
    """A trained model without its weights.

    Attributes:
        channels: names of the image channels in the order in which images are given.
        structures: what it segments; structure i is class i + 1.
        plans: how volumes are cut into slices: one plan for all networks, or one for each; all of one normalization.
        network: name of the network; `width` its width; `network_count` how many of them predict together.
        largest_component: whether each structure's largest component alone is kept.
        training: summary of the training for the user (JSON values): "method", "task", "cases" (counts by quality),
            "epoch", "score" ("kind", "value"), "settings", "torch".
        offsets: for each network what is added to its logits, one number for the background and each structure (see
            `volume_calibration`); empty for nothing.
    """

    channels: tuple[str, ...]
    structures: tuple[Structure, ...]
    plans: tuple[SlicePlan, ...]
    network: str
    width: int
    network_count: int
    largest_component: bool
    training: dict[str, Any] = field(default_factory=dict)
    offsets: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if len(self.plans) not in (1, self.network_count):
            raise ModelError(
                f"A model of {self.network_count} network(s) needs one slice plan, or one for each network; "
                f"{len(self.plans)} given."
            )
        if len({plan.normalization for plan in self.plans}) != 1:
            raise ModelError("The slice plans of a model need the same normalization.")
        classes = len(self.structures) + 1
        if self.offsets and [len(own) for own in self.offsets] != [classes] * self.network_count:
            raise ModelError(f"A model of {self.network_count} network(s) and {classes} classes needs as many offsets.")

    @property
    def plan(self) -> SlicePlan:
        """How slices are cut for the first network, and for all where there is one plan."""
        return self.plans[0]

    @property
    def distinct_plans(self) -> tuple[SlicePlan, ...]:
        """The plans, each one once."""
        return tuple(dict.fromkeys(self.plans))

    def plan_of(self, network: int) -> SlicePlan:
        """Return how slices are cut for one of the networks, counted from 0."""
        return self.plan if len(self.plans) == 1 else self.plans[network]

    def to_json(self) -> dict[str, Any]:
        """Return the document of the model file."""
        apart = len(self.distinct_plans) > 1 or bool(self.offsets)
        network: dict[str, Any] = {"name": self.network, "width": self.width, "count": self.network_count}
        if self.offsets:
            network["offsets"] = [list(own) for own in self.offsets]
        plans = [_plan_to_json(self.plan_of(index)) for index in range(self.network_count)]
        return {
            "format": FORMAT_OF_NETWORKS_APART if apart else FORMAT,
            "version": __version__,
            "channels": [{"name": name, "normalization": self.plan.normalization.value} for name in self.channels],
            "structures": [
                {
                    "name": structure.name,
                    "value": list(structure.values),
                    "color": list(structure.color),
                    "terminology": structure.terminology,
                }
                for structure in self.structures
            ],
            "slices": plans if apart else plans[0],
            "network": network,
            "largest_component": self.largest_component,
            "training": self.training,
        }


def read_model_description(path: Path) -> ModelDescription:
    """Return what a model file, or the model of a run folder, says about itself.

    Raises:
        ModelError: there is none, it is damaged, or it was written by a newer version.
    """
    file = model_file(path)
    try:
        with opened_container(file) as archive:
            return parse_model_document(read_document(archive, DOCUMENT_NAME), file)
    except ContainerError as error:
        raise ModelError(f"{file} is no usable AIDE model: {error}.") from None
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}.") from None


def model_file(path: Path) -> Path:
    """Return the model file that a path names: itself, or the one in a run folder.

    Raises:
        ModelError: there is none.
    """
    file = path / f"model{ENDING}" if path.is_dir() else path
    if not file.exists():
        what = f"The run {path} has no model yet" if path.is_dir() else f"There is no model file {path}"
        raise ModelError(f"{what}. A model is written after the first epoch of the training proper.")
    return file


def parse_model_document(document: dict[str, Any], file: Path) -> ModelDescription:
    """Return what a model file's document says.

    Raises:
        ModelError: it is of another format or damaged; the message names the file.
    """
    if document.get("format") not in (FORMAT, FORMAT_OF_NETWORKS_APART):
        raise ModelError(
            f"{file} has the format '{document.get('format')}', but this version of AIDE reads '{FORMAT}' and "
            f"'{FORMAT_OF_NETWORKS_APART}'."
        )
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, DatasetError) as error:
        words = str(error) if isinstance(error, DatasetError) else repr(error)[:300]
        raise ModelError(f"{file} is no usable AIDE model: its description is damaged ({words}).") from None


def _parse(document: dict[str, Any]) -> ModelDescription:
    normalizations = {Normalization(channel["normalization"]) for channel in document["channels"]}
    if len(normalizations) != 1:
        raise ValueError("channels with different normalization")
    text(document.get("version", ""))
    structures = tuple(_parse_structure(entry) for entry in document["structures"])
    if not structures:
        raise ValueError("no structure")
    require_names([structure.name for structure in structures], "structure", MAXIMUM_STRUCTURES)
    channels = tuple(text(channel["name"]) for channel in document["channels"])
    require_names(channels, "channel", MAXIMUM_CHANNELS)
    network = document["network"]
    network_count = _within(network["count"], 1, MAXIMUM_NETWORKS, "number of networks")
    return ModelDescription(
        channels=channels,
        structures=structures,
        plans=_parse_plans(document, normalizations.pop(), network_count),
        network=text(network["name"]),
        width=_within(network["width"], 1, MAXIMUM_WIDTH, "network width"),
        network_count=network_count,
        largest_component=_boolean(document["largest_component"]),
        training=_parse_training(document["training"]),
        offsets=_parse_offsets(network.get("offsets", []), network_count, len(structures) + 1),
    )


def _plan_to_json(plan: SlicePlan) -> dict[str, Any]:
    return {"orientation": plan.orientation.value, "spacing": list(plan.spacing), "size": list(plan.size)}


def _parse_plans(document: dict[str, Any], normalization: Normalization, network_count: int) -> tuple[SlicePlan, ...]:
    entries = document["slices"]
    if document["format"] == FORMAT:
        return (_parse_plan(entries, normalization),)
    if not isinstance(entries, list):
        raise ValueError("slices that are no list")
    if len(entries) != network_count:
        raise ValueError(f"slices of {len(entries)} networks, where the model has {network_count}")
    plans = tuple(_parse_plan(entry, normalization) for entry in entries)
    return plans if len(set(plans)) > 1 else plans[:1]


def _parse_offsets(entries: Any, network_count: int, classes: int) -> tuple[tuple[float, ...], ...]:
    offsets = tuple(tuple(_number(value) for value in own) for own in entries)
    if offsets and [len(own) for own in offsets] != [classes] * network_count:
        raise ValueError(f"offsets that are not {network_count} times {classes} numbers")
    if any(not -LARGEST_OFFSET <= value <= LARGEST_OFFSET for own in offsets for value in own):
        raise ValueError(f"an offset beyond {LARGEST_OFFSET:g}")
    return offsets


def _parse_plan(entry: dict[str, Any], normalization: Normalization) -> SlicePlan:
    x, y = (_number(value) for value in entry["spacing"])
    if not (SMALLEST_SPACING <= x <= LARGEST_SPACING and SMALLEST_SPACING <= y <= LARGEST_SPACING):
        raise ValueError(f"spacing {x}, {y}")
    height, width = (
        _within(edge, 1, LARGEST_SLICE, "slice edge") for edge in entry.get("size", SIZE_BEFORE_IT_WAS_SAVED)
    )
    return SlicePlan(SliceOrientation(entry["orientation"]), (x, y), normalization, (height, width))


def _parse_training(training: dict[str, Any]) -> dict[str, Any]:
    """Return what is told about the training, every part of it of the kind that is shown to the user."""
    unknown = sorted(training.keys() - _TRAINING.keys())
    if unknown:
        raise ValueError(f"there is no '{unknown[0][:60]}' in what is told of a training")
    return {name: _TRAINING[name](value) for name, value in training.items()}


def _parse_settings(settings: dict[str, Any]) -> dict[str, Any]:
    if not all(isinstance(value, str | int | float | bool) for value in settings.values()):
        raise ValueError("a setting that is no single value")
    return dict(settings)


def _within(value: Any, least: int, most: int, name: str) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} {value!r}, where {least} to {most} is possible")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} instead of a number")
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} instead of true or false")
    return value


def _parse_structure(entry: dict[str, Any]) -> Structure:
    red, green, blue = (_within(part, 0, 255, "part of a colour") for part in entry["color"])
    values = tuple(_within(value, 1, LARGEST_VALUE, "label value") for value in entry["value"])
    return Structure(text(entry["name"]), values, (red, green, blue), text(entry["terminology"]))


_TRAINING: dict[str, Callable[[Any], Any]] = {
    "method": text,
    "task": text,
    "cases": lambda cases: {text(name): _within(count, 0, 10**9, "number of cases") for name, count in cases.items()},
    "epoch": lambda epoch: _within(epoch, 0, 10**9, "epoch"),
    "score": lambda score: {"kind": text(score["kind"]), "value": _number(score["value"])},
    "settings": _parse_settings,
    "torch": text,
}
