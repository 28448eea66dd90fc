"""The panel's list of models and the card of the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from AIDELib.model_description import ENDING
from AIDESegmentationLib.model_card import modelCard
from AIDESegmentationLib.model_library import LibraryModel, describedModel
from AIDESegmentationLib.segmentation_logic import SegmentationLogic
from AIDESlicer.error_display import showingErrors


class ModelSection:
    """Shows the models of the library, and a chosen one that lies elsewhere.

    Args:
        ui: the panel's widgets.
        logic: the module's.
        onChosen: called with the model that the user chose; None where there is none.
    """

    def __init__(self, ui: Any, logic: SegmentationLogic, onChosen: Callable[[LibraryModel | None], None]) -> None:
        self._ui = ui
        self._logic = logic
        self._onChosen = onChosen
        self._models: list[LibraryModel] = []
        ui.modelSelector.currentIndexChanged.connect(self._onSelected)
        ui.addModelButton.clicked.connect(self.onAdd)
        ui.removeModelButton.clicked.connect(self.onRemove)
        ui.libraryFolderButton.clicked.connect(self.onChooseFolder)

    @property
    def chosen(self) -> LibraryModel | None:
        """The chosen model; None where there is none."""
        index = self._ui.modelSelector.currentIndex
        return self._models[index] if 0 <= index < len(self._models) else None

    def show(self, file: Path | None) -> None:
        """Read the library again and choose a model file, which need not lie in it; the first one for None."""
        self._models = self._logic.library().models()
        files = [model.file for model in self._models]
        if file is not None and file not in files:
            self._models.append(describedModel(file))
            files.append(file)
        selector = self._ui.modelSelector
        wasBlocked = selector.blockSignals(True)
        selector.clear()
        for model in self._models:
            selector.addItem(model.name if model.description else _("{name} (cannot be used)").format(name=model.name))
        if not self._models:
            selector.addItem(_("No model yet"))
        selector.setCurrentIndex(files.index(file) if file is not None else 0)
        selector.blockSignals(wasBlocked)
        self._showCard()

    def add(self, file: Path) -> None:
        """Copy a model file into the library and choose it.

        Raises:
            ModelError: it is no usable model or cannot be copied.
        """
        self._choose(self._logic.library().add(file).file)

    @showingErrors
    def onAdd(self, *_arguments: Any) -> None:
        """Ask for a model file and add it."""
        title, kind = _("Add a model"), _("AIDE models (*{ending})").format(ending=ENDING)
        file = qt.QFileDialog.getOpenFileName(self._ui.addModelButton.window(), title, str(Path.home()), kind)
        if file:
            self.add(Path(file))

    @showingErrors
    def onRemove(self, *_arguments: Any) -> None:
        """Ask, then delete the chosen model from the library."""
        model = self.chosen
        if model is None:
            return
        question = _("Delete the model '{name}' from your model library? Its file {file} is deleted.").format(
            name=model.name, file=model.file
        )
        if slicer.util.confirmOkCancelDisplay(question, _("Remove model")):
            self._logic.library().remove(model)
            self._choose(None)

    @showingErrors
    def onChooseFolder(self, *_arguments: Any) -> None:
        """Ask for the folder of the library."""
        folder = qt.QFileDialog.getExistingDirectory(
            self._ui.libraryFolderButton.window(), _("Folder of the model library"), str(self._logic.libraryFolder())
        )
        if folder:
            self._logic.setLibraryFolder(Path(folder))
            self._choose(None)

    def _choose(self, file: Path | None) -> None:
        self.show(file)
        self._onChosen(self.chosen)

    def _onSelected(self, *_arguments: Any) -> None:
        self._showCard()
        self._onChosen(self.chosen)

    def _showCard(self) -> None:
        model = self.chosen
        inLibrary = model is not None and model.file.parent == self._logic.libraryFolder()
        self._ui.removeModelButton.enabled = inLibrary
        self._ui.modelCardLabel.text = modelCard(model) if model is not None else self._invitation()

    def _invitation(self) -> str:
        return _(
            "Your model library ({folder}) is empty. Add a model file that somebody gave you, or train one in the module "
            "AIDE Training."
        ).format(folder=self._logic.libraryFolder())
