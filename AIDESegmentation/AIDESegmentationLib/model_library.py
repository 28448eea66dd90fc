"""The folder in which the user's models lie."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from AIDELib.atomic_file import replacing
from AIDELib.errors import AIDEError, ModelError
from AIDELib.model_description import ENDING, ModelDescription, read_model_description


@dataclass(frozen=True)
class LibraryModel:
    """A model of the library.

    Attributes:
        file: the model file.
        description: what it says about itself; None where it cannot be used.
        problem: why it cannot be used, for the user; "" where it can.
    """

    file: Path
    description: ModelDescription | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The name shown in the list."""
        return self.file.name.removesuffix(ENDING)


class ModelLibrary:
    """The models of a folder, without those in its subfolders.

    Args:
        folder: made when the first model is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> list[LibraryModel]:
        """Return all models, usable or not, in the order of their names."""
        if not self.folder.is_dir():
            return []
        models = [describedModel(file) for file in self.folder.glob(f"*{ENDING}")]
        return sorted(models, key=lambda model: model.name.lower())

    def add(self, file: Path) -> LibraryModel:
        """Copy a model file into the library and return the copy; a model of the same name is not overwritten.

        Raises:
            ModelError: the file is no usable model, or cannot be copied.
        """
        description = read_model_description(file)
        target = self._freeName(file.name.removesuffix(ENDING))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as temporary:
                shutil.copyfile(file, temporary)
        except OSError as error:
            raise ModelError(
                f"{file} cannot be copied into the model library {self.folder}: {error.strerror}."
            ) from None
        return LibraryModel(target, description)

    def remove(self, model: LibraryModel) -> None:
        """Delete a model's file.

        Raises:
            ModelError: it cannot be deleted.
        """
        try:
            model.file.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(f"{model.file} cannot be deleted: {error.strerror}.") from None

    def _freeName(self, name: str) -> Path:
        target = self.folder / f"{name}{ENDING}"
        number = 2
        while target.exists():
            target = self.folder / f"{name} {number}{ENDING}"
            number += 1
        return target


def describedModel(file: Path) -> LibraryModel:
    """Return a model with its description, or with why it has none."""
    try:
        return LibraryModel(file, read_model_description(file))
    except AIDEError as error:
        return LibraryModel(file, None, str(error))
