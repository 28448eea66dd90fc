"""A plain folder of pairs: images/NAME.ext with labels/NAME.ext, or NAME.ext beside NAME_label.ext."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from AIDELib.errors import DatasetError
from AIDELib.readers.channel_files import are_numbered, count_channels, group_channels
from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures, require_cases, require_folder
from AIDELib.readers.image_names import image_stem, images_in, labels_in_folder
from AIDELib.segmentation_file import is_segmentation_file, read_segmentation
from AIDELib.structure import Structure
from AIDELib.volume import read_file

_IMAGE_FOLDERS = ("images", "imagesTr", "image")
_LABEL_FOLDERS = re.compile(r"(labels?|labelsTr|masks?|segmentations?)([_-].*)?", re.IGNORECASE)
_LABEL_MARK = re.compile(r"(.+?)[_.-](label|labels|seg|segmentation|mask)", re.IGNORECASE)
# A label file with more values than this is more likely an image.
_MOST_VALUES = 50


def read_folder(source: Path) -> FoundCases:
    """Return the cases of a folder with the structures that all their labels hold; every label is read.

    Raises:
        DatasetError: the folder does not have this layout.
    """
    found = find_cases(source)
    return replace(found, structures=_discover_structures(found.cases))


def find_cases(source: Path) -> FoundCases:
    """Return the cases of a folder, without structures; no file is opened.

    Images lie in `images/` and labels of the same names in `labels/` (several folders `labels_A/`, `labels_B/` are
    several raters), or both lie side by side as NAME.ext and NAME_label.ext (also _seg, _mask, _segmentation). Several
    channels are NAME_0000.ext, NAME_0001.ext … with a label NAME.ext; with labels NAME_0000.ext, or where no name ends in
    _0000, such files are cases of one channel.

    Raises:
        DatasetError: the folder does not have this layout, or it has labels, of which none fits an image.
    """
    folder = next((source / name for name in _IMAGE_FOLDERS if (source / name).is_dir()), None)
    require_folder(source)
    if folder is None:
        images, labels = _side_by_side(source)
    else:
        images, labels = images_in(folder), _labels_by_rater(source)
    are_channels = are_numbered(images, {name for rater in labels for name in rater})
    channels = count_channels(images) if are_channels else 1
    grouped = group_channels(images, channels) if are_channels else {name: (path,) for name, path in images.items()}
    cases = [_found_case(name, paths, labels) for name, paths in grouped.items()]
    found = require_cases(
        cases, source, "images/NAME.nii.gz with labels/NAME.nii.gz, or NAME.nii.gz with NAME_label.nii.gz"
    )
    names = ("image",) if channels == 1 else tuple(f"channel {index + 1}" for index in range(channels))
    lone = tuple(path for rater in labels for name, path in rater.items() if name not in grouped)
    if lone and not any(case.labels for case in found):
        raise DatasetError(
            f"None of the {len(lone)} label(s) in {source}, {lone[0].name} for one, has the name of an image, such as "
            f"{found[0].images[0].name}. Name each label as its image."
        )
    return FoundCases(names, (), found, lone)


def _found_case(name: str, images: tuple[Path, ...], labels: Sequence[Mapping[str, Path]]) -> FoundCase:
    drawn = {index + 1: rater[name] for index, rater in enumerate(labels) if name in rater}
    return FoundCase(name, images, tuple(drawn.values()), raters=tuple(drawn))


def _labels_by_rater(source: Path) -> list[dict[str, Path]]:
    return [
        labels_in_folder(folder)
        for folder in sorted(source.iterdir())
        if folder.is_dir() and _LABEL_FOLDERS.fullmatch(folder.name)
    ]


def _side_by_side(source: Path) -> tuple[dict[str, Path], list[dict[str, Path]]]:
    labels: dict[str, Path] = {}
    for path in sorted(source.iterdir()):
        name = None if path.name.startswith(".") or not path.is_file() else _labelled_by(path)
        if name is None:
            continue
        if name in labels:
            raise DatasetError(
                f"{labels[name]} and {path.name} are both labels of '{name}'. Take one of them out of the folder, or put "
                "the labels of several people into folders labels_A/, labels_B/ beside images/."
            )
        labels[name] = path
    own = set(labels.values())
    return {stem: path for stem, path in images_in(source).items() if path not in own}, [labels]


def _labelled_by(path: Path) -> str | None:
    """Return the name of the image that a file is the label of; None for an image."""
    stem = image_stem(path)
    match = None if stem is None else _LABEL_MARK.fullmatch(stem)
    if match is not None:
        return match[1]
    return stem if is_segmentation_file(path) else None


def _discover_structures(cases: Sequence[FoundCase]) -> tuple[Structure, ...]:
    """Return the values, or the segments, of all labels as structures."""
    values: dict[str, int] = {}
    for case in cases:
        for path in case.labels[:1]:
            values |= labels_in(path, values)
    return named_structures([(name, [value]) for name, value in sorted(values.items(), key=lambda pair: pair[1])])


def labels_in(path: Path, known: Mapping[str, int]) -> dict[str, int]:
    """Return the label values of a label file by the names of its structures: 'label VALUE', or its segments' names.

    Args:
        known: what is known from other files; segments of new names get the values after these.

    Raises:
        DatasetError: the file looks like an image rather than a label.
        VolumeError: it cannot be read.
    """
    if is_segmentation_file(path):
        names = [segment.name for segment in read_segmentation(path).segments]
        first = 1 + max(known.values(), default=0)
        return {name: first + index for index, name in enumerate(name for name in names if name not in known)}
    values = np.unique(sitk.GetArrayFromImage(read_file(path)))
    if len(values) > _MOST_VALUES or not np.equal(values, np.round(values)).all():
        raise DatasetError(
            f"{path} is taken for a label but holds {len(values)} different values. Are images and labels mixed up?"
        )
    return {f"label {int(value)}": int(value) for value in values if value > 0}
