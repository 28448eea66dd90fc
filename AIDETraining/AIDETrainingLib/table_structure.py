"""A structure as the case table lists it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from AIDELib.errors import DatasetError
from AIDELib.structure import Structure


@dataclass(frozen=True)
class TableStructure:
    """A structure that occurs in the labels.

    Attributes:
        name: name of the segment.
        values: label values that mean it in the label files of the table; assigned where there are only segmentations.
        color: red, green, blue, each 0 to 255.
        terminology: Slicer's serialized terminology entry, or empty.
        used: whether the model learns it.
    """

    name: str
    values: tuple[int, ...]
    color: tuple[int, int, int]
    terminology: str = ""
    used: bool = True

    def replace(self, **changes: Any) -> TableStructure:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def toStructure(self) -> Structure:
        """Return it as part of a dataset."""
        return Structure(self.name, self.values, self.color, self.terminology)


def withSegments(known: Sequence[TableStructure], segments: Sequence[Structure]) -> list[TableStructure]:
    """Return `known` and those segments that it lacks by name, each with the next free label value."""
    merged = {structure.name.casefold(): structure for structure in known}
    for segment in segments:
        if segment.name.casefold() not in merged:
            value = 1 + max((value for structure in merged.values() for value in structure.values), default=0)
            merged[segment.name.casefold()] = TableStructure(segment.name, (value,), segment.color, segment.terminology)
    return list(merged.values())


def withFileStructures(
    known: Sequence[TableStructure], structures: Sequence[Structure], valuesInUse: bool
) -> list[TableStructure]:
    """Return `known` and the structures of label files, whose values are fixed by the files.

    Args:
        valuesInUse: whether other label files of the table rely on the values of `known`.

    Raises:
        DatasetError: a value means one structure in the table's files and another in these.
    """
    own = {structure.name.casefold(): structure for structure in structures}
    merged: dict[str, TableStructure] = {}
    for structure in known:
        same = own.get(structure.name.casefold())
        if same is not None:
            values = tuple(dict.fromkeys((*structure.values, *same.values))) if valuesInUse else same.values
            structure = structure.replace(values=values)
        merged[structure.name.casefold()] = structure
    for name, structure in own.items():
        if name not in merged:
            merged[name] = TableStructure(structure.name, structure.values, structure.color, structure.terminology)
    return _withoutClashes(list(merged.values()), set(own), valuesInUse)


def _withoutClashes(structures: Sequence[TableStructure], fixed: set[str], valuesInUse: bool) -> list[TableStructure]:
    owners: dict[int, str] = {}
    # The values of files stand first: structures of the scene can take any other.
    for structure in sorted(structures, key=lambda one: one.name.casefold() not in fixed):
        for value in structure.values:
            owner = owners.setdefault(value, structure.name)
            if owner != structure.name and valuesInUse:
                raise DatasetError(
                    _(
                        "The label value {value} means {structure} in the label files of the table and {owner} in"
                        " those to be added. Convert one of them, or use segmentations (.seg.nrrd), which are "
                        "matched by name."
                    ).format(value=value, structure=structure.name, owner=owner)
                )
    result = []
    for structure in structures:
        if any(owners[value] != structure.name for value in structure.values):
            value = 1 + max(owners)
            owners[value] = structure.name
            structure = structure.replace(values=(value,))
        result.append(structure)
    return result
