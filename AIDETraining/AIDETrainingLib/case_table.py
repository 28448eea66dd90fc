"""The case table: channels, structures and rows, with the edits that a user makes. Knows no scene and no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slicer.i18n import tr as _

from AIDELib.case import LabelQuality, Split
from AIDELib.errors import DatasetError
from AIDESlicer.unique_name import uniqueName
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.table_structure import TableStructure

DEFAULT_CHANNEL = "image"


class CaseTable:
    """All that a dataset is made of, in an order and form that a user edits.

    Two rules hold after every edit: names of rows are unique, and all rows of a patient stand in one split.
    Observers are called once after each edit.
    """

    def __init__(self) -> None:
        self.channels: list[str] = [DEFAULT_CHANNEL]
        self.structures: list[TableStructure] = []
        self._rows: dict[str, CaseRow] = {}
        self._removals: list[list[tuple[int, CaseRow]]] = []
        self._observers: list[Callable[[], None]] = []

    # Reading

    @property
    def rows(self) -> list[CaseRow]:
        """The rows in their order."""
        return list(self._rows.values())

    def row(self, key: str) -> CaseRow:
        """Return the row of that key."""
        return self._rows[key]

    def rowNamed(self, name: str) -> CaseRow:
        """Return the row of that name.

        Raises:
            DatasetError: there is none.
        """
        for row in self._rows.values():
            if row.name == name:
                return row
        raise DatasetError(_("There is no case '{name}' in the table.").format(name=name))

    def observe(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every edit."""
        self._observers.append(callback)

    def stopObserving(self, callback: Callable[[], None]) -> None:
        """Undo `observe`."""
        self._observers.remove(callback)

    # Rows

    def addRows(self, rows: Sequence[CaseRow]) -> list[str]:
        """Add rows, renamed where their name is taken, in the split of their patient where there is one.

        Returns:
            their keys.
        """
        taken = {row.name.casefold() for row in self._rows.values()}
        splits = {row.patient: row.split for row in reversed(self.rows)}
        for row in rows:
            name = uniqueName(row.name, taken)
            taken.add(name.casefold())
            patient = row.patient or name
            split = splits.setdefault(patient, row.split)
            images = tuple(row.images[: len(self.channels)])
            images += (None,) * (len(self.channels) - len(images))
            self._rows[row.key] = row.replace(name=name, patient=patient, split=split, images=images)
        self._changed()
        return [row.key for row in rows]

    def updateRows(self, keys: Iterable[str], **changes: Any) -> None:
        """Give several rows new values; a new split goes to all cases of their patients.

        Args:
            changes: fields of CaseRow. A row without a label stays unlabelled whatever quality is asked for.

        Raises:
            DatasetError: the name is empty or taken.
        """
        keys = list(keys)
        if "name" in changes:
            self._requireFreeName(keys, changes["name"])
        if "patient" in changes and not changes["patient"].strip():
            raise DatasetError(_("The patient of a case cannot be empty."))
        for key in keys:
            row = self._rows[key]
            applied = dict(changes)
            label = applied.get("label", row.label)
            if label is None:
                applied["quality"] = LabelQuality.UNLABELLED
            elif row.label is None and "quality" not in applied:
                applied["quality"] = LabelQuality.HQA
            self._rows[key] = row.replace(**applied)
        if "split" in changes:
            self._spread({self._rows[key].patient for key in keys}, changes["split"])
        if "patient" in changes:
            self._joinPatient(changes["patient"], keys)
        self._changed()

    def setImage(self, key: str, channel: int, source: Source | None) -> None:
        """Set the volume of one channel of a row."""
        images = list(self._rows[key].images)
        images[channel] = source
        self.updateRows([key], images=tuple(images))

    def assignSplits(self, splits: dict[str, Split]) -> None:
        """Set the split of each patient."""
        for patient, split in splits.items():
            self._spread({patient}, split)
        self._changed()

    def removeRows(self, keys: Iterable[str]) -> None:
        """Remove rows; `undoRemoval` brings them back."""
        wanted = set(keys)
        order = list(self._rows)
        removed = [(order.index(key), self._rows[key]) for key in order if key in wanted]
        if not removed:
            return
        for _position, row in removed:
            del self._rows[row.key]
        self._removals.append(removed)
        self._changed()

    def canUndoRemoval(self) -> bool:
        """Return whether there is a removal to undo."""
        return bool(self._removals)

    def undoRemoval(self) -> list[str]:
        """Bring the rows of the last removal back to where they were.

        Returns:
            their keys; empty where nothing was removed.
        """
        if not self._removals:
            return []
        rows = self.rows
        restored = self._removals.pop()
        taken = {row.name.casefold() for row in rows}
        splits = {row.patient: row.split for row in reversed(rows)}
        for position, row in restored:
            name = uniqueName(row.name, taken)
            taken.add(name.casefold())
            images = (*row.images, *[None] * len(self.channels))[: len(self.channels)]
            rows.insert(
                position, row.replace(name=name, split=splits.get(row.patient, row.split), images=tuple(images))
            )
        self._rows = {row.key: row for row in rows}
        self._changed()
        return [row.key for _position, row in restored]

    def clear(self) -> None:
        """Go back to an empty table with one channel."""
        self.channels = [DEFAULT_CHANNEL]
        self.structures = []
        self._rows = {}
        self._removals = []
        self._changed()

    # Channels

    def addChannel(self, name: str) -> None:
        """Add a channel without volumes.

        Raises:
            DatasetError: the name is empty or taken.
        """
        self._requireChannelName(name, self.channels)
        self.channels.append(name.strip())
        self._rows = {key: row.replace(images=(*row.images, None)) for key, row in self._rows.items()}
        self._changed()

    def renameChannel(self, index: int, name: str) -> None:
        """Rename a channel.

        Raises:
            DatasetError: the name is empty or taken.
        """
        self._requireChannelName(name, [other for position, other in enumerate(self.channels) if position != index])
        self.channels[index] = name.strip()
        self._changed()

    def removeChannel(self, index: int) -> None:
        """Remove a channel from all rows.

        Raises:
            DatasetError: it is the only one.
        """
        if len(self.channels) == 1:
            raise DatasetError(_("A dataset needs at least one channel; rename this one instead."))
        del self.channels[index]
        self._rows = {
            key: row.replace(images=row.images[:index] + row.images[index + 1 :]) for key, row in self._rows.items()
        }
        self._changed()

    def setChannels(self, names: Sequence[str]) -> None:
        """Name all channels anew, where the table has no rows yet.

        Raises:
            DatasetError: there are rows, or a name is empty or occurs twice.
        """
        if self._rows:
            raise DatasetError(_("The channels can be replaced as a whole only while the table is empty."))
        for index, name in enumerate(names):
            self._requireChannelName(name, names[:index])
        self.channels = [name.strip() for name in names]
        self._changed()

    # Structures

    def setStructures(self, structures: Sequence[TableStructure]) -> None:
        """Replace the list of structures."""
        self.structures = list(structures)
        self._changed()

    def useStructure(self, name: str, used: bool) -> None:
        """Choose whether the model learns a structure."""
        self.structures = [
            structure.replace(used=used) if structure.name == name else structure for structure in self.structures
        ]
        self._changed()

    # Keeping

    def copy(self) -> CaseTable:
        """Return a table of the same content, for work that lasts while this one may be edited."""
        copied = CaseTable()
        copied.replaceContent(self.channels, self.structures, self.rows)
        return copied

    def replaceContent(
        self, channels: Sequence[str], structures: Sequence[TableStructure], rows: Sequence[CaseRow]
    ) -> None:
        """Replace everything, as when a saved table is read."""
        self.channels, self.structures = list(channels), list(structures)
        self._rows = {row.key: row for row in rows}
        self._removals = []
        self._changed()

    def _changed(self) -> None:
        for callback in list(self._observers):
            callback()

    def _requireFreeName(self, keys: Sequence[str], name: str) -> None:
        if not name.strip():
            raise DatasetError(_("The name of a case cannot be empty."))
        others = {row.name.casefold() for key, row in self._rows.items() if key not in keys}
        if len(keys) > 1 or name.casefold() in others:
            raise DatasetError(
                _("There is already a case '{name}'; give each case a name of its own.").format(name=name)
            )

    @staticmethod
    def _requireChannelName(name: str, others: Sequence[str]) -> None:
        if not name.strip():
            raise DatasetError(_("The name of a channel cannot be empty."))
        if name.strip().casefold() in (other.casefold() for other in others):
            raise DatasetError(
                _("There is already a channel '{name}'; give each channel a name of its own.").format(name=name)
            )

    def _spread(self, patients: set[str], split: Split) -> None:
        for key, row in self._rows.items():
            if row.patient in patients and row.split is not split:
                self._rows[key] = row.replace(split=split)

    def _joinPatient(self, patient: str, keys: Sequence[str]) -> None:
        others = [row for row in self._rows.values() if row.patient == patient and row.key not in keys]
        self._spread({patient}, others[0].split if others else self._rows[keys[0]].split)
