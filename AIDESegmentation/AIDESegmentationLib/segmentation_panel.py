"""The module's panel: its sections, and the choices that they share with the scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from AIDELib.errors import ModelError
from AIDESegmentationLib.batch_section import BatchSection
from AIDESegmentationLib.channel_selectors import ChannelSelectors
from AIDESegmentationLib.compare_section import CompareSection
from AIDESegmentationLib.device_selector import DeviceSelector
from AIDESegmentationLib.examination import Examination
from AIDESegmentationLib.model_library import LibraryModel
from AIDESegmentationLib.model_section import ModelSection
from AIDESegmentationLib.run_section import RunSection
from AIDESegmentationLib.segmentation_job import JobOptions
from AIDESegmentationLib.segmentation_logic import SegmentationLogic
from AIDESegmentationLib.segmentation_parameter_node import SegmentationParameterNode
from AIDESlicer.error_display import showingErrors


class SegmentationPanel:
    """Brings the sections together.

    What the user chooses goes into the parameter node at once; what comes from there (a loaded scene, a script, another
    module) is shown by `showParameters`.

    Args:
        ui: the widgets of the `.ui` file, by name.
        logic: the module's.
    """

    def __init__(self, ui: Any, logic: SegmentationLogic) -> None:
        self._ui = ui
        self._parameters: SegmentationParameterNode | None = None
        self._isShowing = False
        self.models = ModelSection(ui, logic, self._onModelChosen)
        self.channels = ChannelSelectors(ui.imagesCollapsibleButton.layout(), self._onChannelsChanged)
        self.devices = DeviceSelector(ui.deviceSelector)
        self.run = RunSection(ui, logic, self._onSegmented, self._showState)
        self.batch = BatchSection(ui, self._channelNames, self._startBatch, self._onFolders)
        self.comparison = CompareSection(ui, logic)
        ui.deviceSelector.currentIndexChanged.connect(self._onDeviceChosen)
        ui.applyButton.clicked.connect(self.onApply)
        self.models.show(None)
        self._showState()

    @property
    def isBusy(self) -> bool:
        """Whether something is running in the background."""
        return self.run.isRunning or self.comparison.isRunning

    def setParameterNode(self, parameters: SegmentationParameterNode | None) -> None:
        """Take the choices of a scene; None while it is being closed."""
        self._parameters = parameters
        if parameters is not None:
            self.showParameters()
        else:
            self._showState()

    def showParameters(self, *_arguments: Any) -> None:
        """Show the choices of the parameter node that no widget of the `.ui` file is connected with."""
        if self._parameters is None or self._isShowing:
            return
        self._isShowing = True
        try:
            # Read anew: among the observers of the node, the one that tells of a change can come before the ones by which
            # the values at hand are brought up to date.
            self._parameters = SegmentationParameterNode(self._parameters.parameterNode)
            self._showModel()
            self.devices.choose(self._parameters.device)
            self.batch.showFolders(self._parameters.batchInputFolder, self._parameters.batchOutputFolder)
            self._saveFolders()
        finally:
            self._isShowing = False
        self._showState()

    def abandonJobs(self) -> None:
        """End what runs in the background, because its scene is closing or the module is reloaded."""
        self.run.abandon()
        self.comparison.abandon()
        self.comparison.clear()

    @showingErrors
    def onApply(self, *_arguments: Any) -> None:
        """Segment the chosen volumes."""
        volumes = tuple(self.channels.volumes)
        output = self._ui.outputSelector.currentNode()
        examination = Examination(
            volumes[0].GetName() if volumes and volumes[0] is not None else "",
            volumes,
            segmentationId=output.GetID() if output is not None else "",
            probabilities=self._ui.probabilitiesCheckBox.checked,
        )
        self._start([examination])

    def _startBatch(self, examinations: Sequence[Examination]) -> None:
        self._start(examinations)

    def _start(self, examinations: Sequence[Examination]) -> None:
        options = JobOptions(self.devices.device, self._ui.largestComponentCheckBox.checked)
        self.run.start(self._usableModel().file, examinations, options)
        # There may have been no answer before the packages were installed.
        self.devices.ask()

    def _usableModel(self) -> LibraryModel:
        model = self.models.chosen
        if model is None:
            raise ModelError(_("Choose a model first."))
        if model.description is None:
            raise ModelError(model.problem)
        return model

    def _channelNames(self) -> tuple[str, ...]:
        model = self.models.chosen
        return model.description.channels if model is not None and model.description is not None else ()

    # From the parameter node to the widgets

    def _showModel(self) -> None:
        shown = self.models.chosen
        wanted = Path(self._parameters.modelFile) if self._parameters.modelFile else None
        if shown is None or shown.file != wanted:
            self.models.show(wanted)
        chosen = self.models.chosen
        if wanted is None and chosen is not None:
            # A new scene starts with the first model of the library.
            self._parameters.modelFile = str(chosen.file)
        self._takeSettingsOf(chosen)
        self.channels.show(self._channelNames(), list(self._parameters.channelVolumes))
        self._saveChannels()

    # From the widgets to the parameter node

    def _onModelChosen(self, model: LibraryModel | None) -> None:
        if self._parameters is None:
            return
        self._isShowing = True
        try:
            self._parameters.modelFile = str(model.file) if model is not None else ""
            self._takeSettingsOf(model)
            # Volumes chosen for the channels of another model mean nothing for these.
            self.channels.show(self._channelNames(), [])
            self._saveChannels()
        finally:
            self._isShowing = False
        self.batch.refreshIfShown()
        self._showState()

    def _takeSettingsOf(self, model: LibraryModel | None) -> None:
        """Start with what a model says, once, so that a later choice of the user's for this model counts."""
        if model is None or model.description is None or self._parameters.largestComponentOf == str(model.file):
            return
        self._parameters.largestComponentOf = str(model.file)
        self._parameters.largestComponent = model.description.largest_component

    def _onChannelsChanged(self) -> None:
        if self._parameters is not None and not self._isShowing:
            self._saveChannels()
            self._showState()

    def _saveChannels(self) -> None:
        if list(self._parameters.channelVolumes) != self.channels.volumes:
            self._parameters.channelVolumes = self.channels.volumes

    # By hand: Slicer connects a path edit with a Path alone, which takes no folder for the present one.

    def _onFolders(self) -> None:
        if self._parameters is None or self._isShowing:
            return
        # The list of the batch follows its own folder; nothing else is shown otherwise because of one.
        self._isShowing = True
        try:
            self._saveFolders()
        finally:
            self._isShowing = False

    def _saveFolders(self) -> None:
        self._parameters.batchInputFolder = self.batch.inputFolder
        self._parameters.batchOutputFolder = self.batch.outputFolder

    def _onDeviceChosen(self, *_arguments: Any) -> None:
        if self._parameters is not None and not self._isShowing:
            self._parameters.device = self.devices.device

    def _onSegmented(self, segmentation: Any) -> None:
        # The next run with another volume is not to replace this one's segments, so that the output stays as it is chosen.
        self._ui.comparedSelector.setCurrentNode(segmentation)

    def _showState(self) -> None:
        """Enable what can be done now and say in the button's tooltip what is missing."""
        missing = self._whatIsMissing()
        self._ui.applyButton.enabled = not missing
        self._ui.applyButton.toolTip = missing or _("Segment the chosen images.")
        self._ui.applyButton.text = _("Segmenting…") if self.run.isRunning else _("Apply")
        if self.run.isRunning:
            self._ui.batchButton.enabled = False
        else:
            self.batch.refreshIfShown()

    def _whatIsMissing(self) -> str:
        model = self.models.chosen
        if self.run.isRunning:
            return _("A segmentation is running.")
        if model is None or self._parameters is None:
            return _("Choose a model first.")
        if model.description is None:
            return model.problem
        missing = [
            channel
            for channel, volume in zip(self._channelNames(), self.channels.volumes, strict=False)
            if volume is None
        ]
        if missing:
            return _("Choose a volume for {channels}.").format(channels=", ".join(missing))
        return ""
