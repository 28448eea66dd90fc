"""The choices of a user, saved with the scene."""

from __future__ import annotations

from typing import Annotated

from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class AIDETrainingParameterNode:
    """The parameters of the module.

    caseTable - Channels, structures and cases; read and written by TableStore.
    preset - Name of the settings that the training starts from.
    changedSettings - JSON object of the settings that differ from the preset.
    device - Name of the device to train on, or auto.
    compareWithBaseline - Whether the conventional method is trained on the same cases for comparison.
    runFolder - Folder of the run that is shown.
    moreEpochs - Epochs that "Continue training" adds.
    """

    caseTable: str = ""
    preset: str = "standard"
    changedSettings: str = "{}"
    device: str = "auto"
    compareWithBaseline: bool = False
    runFolder: str = ""
    moreEpochs: Annotated[int, WithinRange(1, 1000)] = 10
