"""`dataset.json`: the format "aide-dataset/1", read, validated and written."""

from __future__ import annotations

import json
import os
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from AIDELib.atomic_file import write_text_atomically
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.json_document import DocumentError
from AIDELib.sealed_document import read_sealed
from AIDELib.structure import DEFAULT_COLORS, Structure
from AIDELib.volume import split_channel

FORMAT = "aide-dataset/1"

_Kind = TypeVar("_Kind", bound=Enum)


def load_dataset(path: Path) -> Dataset:
    """Read and validate a `dataset.json`; the images themselves are not opened.

    Raises:
        DatasetError: the file cannot be read, is no dataset, or a case is faulty; the message names case and field.
    """
    document = _read_json(path)
    _check_fields(document, "The dataset", {"format", "channels", "structures", "cases"}, set())
    if document["format"] != FORMAT:
        raise DatasetError(
            f"{path}: format is '{document['format']}', but this version of AIDE reads '{FORMAT}'. "
            "Update AIDE, or write the file anew with 'import'."
        )
    folder = path.absolute().parent
    return Dataset(
        tuple(
            _text(name, "The dataset", "channels") for name in _list(document["channels"], "The dataset", "channels")
        ),
        tuple(
            _parse_structure(entry, index)
            for index, entry in enumerate(_list(document["structures"], "The dataset", "structures"))
        ),
        tuple(
            _parse_case(entry, index, folder)
            for index, entry in enumerate(_list(document["cases"], "The dataset", "cases"))
        ),
    )


def require_own_document(path: Path) -> None:
    """Refuse to write over a file that is no `dataset.json` of AIDE: other programs have files of that name.

    Raises:
        DatasetError: there is such a file.
    """
    if not path.exists():
        return
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or not str(document.get("format", "")).startswith(FORMAT.partition("/")[0]):
        raise DatasetError(f"{path} is there already and no dataset of AIDE. Choose another file for the dataset.")


def save_dataset(dataset: Dataset, path: Path) -> None:
    """Write a `dataset.json`, with paths relative to it where both are on one drive.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    document = dataset_document(dataset, path.absolute().parent)
    write_text_atomically(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def dataset_document(dataset: Dataset, folder: Path) -> dict[str, Any]:
    """Return the content of a `dataset.json` in a folder."""
    return {
        "format": FORMAT,
        "channels": list(dataset.channels),
        "structures": [_structure_entry(structure) for structure in dataset.structures],
        "cases": [_case_entry(case, folder) for case in dataset.cases],
    }


def _structure_entry(structure: Structure) -> dict[str, Any]:
    values = list(structure.values)
    entry: dict[str, Any] = {
        "name": structure.name,
        "value": values[0] if len(values) == 1 else values,
        "color": list(structure.color),
    }
    if structure.terminology:
        entry["terminology"] = structure.terminology
    return entry


def _case_entry(case: Case, folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": case.id,
        "patient": case.patient,
        "images": [relative_path(image, folder) for image in case.images],
        "label": None if case.label is None else relative_path(case.label, folder),
        "quality": case.quality.value,
        "split": case.split.value,
        "domain": case.domain,
    }
    if case.rater_labels:
        entry["raters"] = [relative_path(label, folder) for label in case.rater_labels]
    return entry


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with forward slashes; as it is where they are on different drives."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return read_sealed(path)
    except FileNotFoundError:
        raise DatasetError(f"There is no file {path}. Write one with 'import', or check the path.") from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from None
    except DocumentError as error:
        raise DatasetError(f"{path} is no usable dataset.json: {error}.") from None


def _parse_structure(entry: Any, index: int) -> Structure:
    owner = f"Structure {index + 1}"
    fields = _object(entry, owner)
    if isinstance(fields.get("name"), str):
        owner = f"Structure '{fields['name']}'"
    _check_fields(fields, owner, {"name", "value"}, {"color", "terminology"})
    value = fields["value"]
    values = value if isinstance(value, list) else [value]
    color = fields.get("color", list(DEFAULT_COLORS[index % len(DEFAULT_COLORS)]))
    return Structure(
        _text(fields["name"], owner, "name"),
        tuple(_whole_number(one, owner, "value") for one in values),
        tuple(_whole_number(part, owner, "color") for part in _list(color, owner, "color")),  # type: ignore[arg-type]
        _text(fields.get("terminology", ""), owner, "terminology"),
    )


def _parse_case(entry: Any, index: int, folder: Path) -> Case:
    owner = f"Case {index + 1} of the list"
    fields = _object(entry, owner)
    if isinstance(fields.get("id"), str):
        owner = f"Case '{fields['id']}'"
    _check_fields(fields, owner, {"id", "images", "label", "quality", "split"}, {"patient", "domain", "raters"})

    def path_of(value: Any, field: str) -> Path:
        return _existing(Path(os.path.abspath(folder / _text(value, owner, field))), owner, field)

    label = fields["label"]
    return Case(
        id=_text(fields["id"], owner, "id"),
        images=tuple(path_of(image, "images") for image in _list(fields["images"], owner, "images")),
        label=None if label is None else path_of(label, "label"),
        quality=_choice(LabelQuality, fields["quality"], owner, "quality"),
        split=_choice(Split, fields["split"], owner, "split"),
        patient=_text(fields.get("patient", ""), owner, "patient"),
        domain=_text(fields.get("domain", ""), owner, "domain"),
        rater_labels=tuple(path_of(label, "raters") for label in _list(fields.get("raters", []), owner, "raters")),
    )


def _check_fields(fields: dict[str, Any], owner: str, required: set[str], optional: set[str]) -> None:
    for name in sorted(required - fields.keys()):
        raise DatasetError(f"{owner}: the field '{name}' is missing.")
    for name in sorted(fields.keys() - required - optional):
        raise DatasetError(
            f"{owner}: there is no field '{name}'. The fields are: {', '.join(sorted(required | optional))}."
        )


def _existing(path: Path, owner: str, field: str) -> Path:
    try:
        is_there = split_channel(path)[0].exists()
    except OSError:  # a name longer than any file can have
        is_there = False
    if not is_there:
        raise DatasetError(
            f"{owner}: {field} names {path}, which does not exist. Check the path or move the file there."
        )
    return path


def _object(value: Any, owner: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DatasetError(f"{owner}: must be an object with named fields, got {_shown(value)}.")
    return value


def _list(value: Any, owner: str, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise DatasetError(f"{owner}: {field} must be a list, got {_shown(value)}.")
    return value


def _text(value: Any, owner: str, field: str) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise DatasetError(f"{owner}: {field} must be a text, got {_shown(value)}.")
    return value


def _whole_number(value: Any, owner: str, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DatasetError(f"{owner}: {field} must be a whole number, got {_shown(value)}.")
    return value


def _choice(kind: type[_Kind], value: Any, owner: str, field: str) -> _Kind:
    allowed = [member.value for member in kind]
    if value not in allowed:
        raise DatasetError(f"{owner}: {field} must be one of {', '.join(allowed)}, got {_shown(value)}.")
    return kind(value)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
