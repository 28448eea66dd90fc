"""All that the module does, without its panel; the examples run in Slicer's Python console."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from AIDELib.case import LabelQuality, Split
from AIDELib.errors import RunError
from AIDELib.review import ReviewedCase
from AIDELib.run_folder import RunFolder
from AIDETrainingLib.added_scene import AddedScene
from AIDETrainingLib.case_status import CaseStatus, caseStatus
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.comparison_text import comparisonText
from AIDETrainingLib.dataset_of_table import trainingStatement
from AIDETrainingLib.folder_collector import collectFromFiles, collectFromPath
from AIDETrainingLib.live_plots import LivePlots
from AIDETrainingLib.parameter_node import AIDETrainingParameterNode
from AIDETrainingLib.results_tables import exportModel, metricsTable, requireModel
from AIDETrainingLib.review_controller import ReviewController
from AIDETrainingLib.run_view import RunView
from AIDETrainingLib.scene_collector import Collected, collectFromScene
from AIDETrainingLib.scene_sources import sourceProblem
from AIDETrainingLib.split_suggestion import suggestSplits
from AIDETrainingLib.stepwise import Steps, completeSteps
from AIDETrainingLib.table_store import TableStore
from AIDETrainingLib.training_controller import TrainingController, newRunFolder, rememberedRun

SEGMENTATION_MODULE = "AIDESegmentation"


class TrainingLogic(ScriptedLoadableModuleLogic):
    """Dataset, training, review and results of one run.

    The whole way, with volumes and segmentations loaded in the scene:

        from AIDETraining import AIDETrainingLogic
        logic = AIDETrainingLogic()
        logic.addCasesFromScene()
        logic.setQuality(["patient 3"], "LQA")
        logic.suggestSplit()
        print(logic.statement())
        logic.startTraining("/data/my run", preset="quick")
        print(logic.runView().text)               # again and again; the training runs in the background
        logic.acceptCorrection("patient 3")
        logic.continueTraining(10)
        logic.exportModel("/data/liver.aide")
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._table = CaseTable()
        self._store = TableStore(self._table)
        self._parameters: AIDETrainingParameterNode | None = None
        self._addedScene: AddedScene | None = None
        self.controller = TrainingController()
        self.plots = LivePlots()
        self.review = ReviewController(self._table)

    def getParameterNode(self) -> AIDETrainingParameterNode:
        """Return the choices of the user, saved with the scene."""
        node = super().getParameterNode()
        if self._parameters is None or self._parameters.parameterNode is not node:
            self._parameters = AIDETrainingParameterNode(node)
            self._store.attach(node)
        else:
            self._store.readIfChanged()
        if not self._parameters.runFolder:
            self._parameters.runFolder = str(rememberedRun() or newRunFolder())
        self.review.setRun(_absolute(self._parameters.runFolder))
        return self._parameters

    def runFolder(self) -> Path:
        """Return the folder of the run that is shown, as an absolute path.

        Example:
            print(logic.runFolder())
        """
        return _absolute(self.getParameterNode().runFolder)

    @property
    def table(self) -> CaseTable:
        """The case table of the scene."""
        self.getParameterNode()
        return self._table

    def beginImport(self) -> None:
        """Remember the choices and cases, because a scene is about to be read that may bring others."""
        self._addedScene = AddedScene(self.getParameterNode().parameterNode)

    def endImport(self) -> None:
        """Let the cases of a scene that was read join those that there were.

        Raises:
            DatasetError: these do not fit the table, which is then as it was before.
        """
        added, self._addedScene = self._addedScene, None
        if added is not None:
            added.join(self.getParameterNode().parameterNode, self._table)

    # Dataset

    def addCasesFromScene(self) -> Collected:
        """Add every volume of the scene with the segmentation drawn on it.

        Example:
            for note in logic.addCasesFromScene().notes:
                print(note)
        """
        return collectFromScene(self.table)

    def addCasesFromPath(self, path: str | Path) -> list[str]:
        """Add the cases of a dataset.json or of a folder with images and labels, and return the keys of the new rows.

        Example:
            logic.addCasesFromPath("/data/hippocampus")

        Raises:
            AIDEError: nothing usable is there, or it does not fit the table.
        """
        return completeSteps(collectFromPath(self.table, Path(path)))

    def addCasesFromFiles(self, files: Iterable[str | Path]) -> list[str]:
        """Add image files as unlabelled cases, and return the keys of the new rows.

        Example:
            logic.addCasesFromFiles(["/data/a.nii.gz", "/data/b.nii.gz"])
        """
        return collectFromFiles(self.table, [Path(file) for file in files])

    def setQuality(self, names: Iterable[str], quality: str) -> None:
        """Set the quality of cases: HQA, LQA or unlabelled.

        Example:
            logic.setQuality(["patient 3", "patient 4"], "LQA")
        """
        self.table.updateRows(self._keys(names), quality=LabelQuality(quality))

    def setSplit(self, names: Iterable[str], split: str) -> None:
        """Set what cases, and all others of their patients, are used for: train, val or test.

        Example:
            logic.setSplit(["patient 7"], "test")
        """
        self.table.updateRows(self._keys(names), split=Split(split))

    def suggestSplit(self) -> None:
        """Set a fifth of the well-labelled patients aside for testing.

        Example:
            logic.suggestSplit()
        """
        self.table.assignSplits(suggestSplits(self.table.rows))

    def statuses(self) -> dict[str, CaseStatus]:
        """Return what is wrong with each case, by name.

        Example:
            print({name: status.text for name, status in logic.statuses().items()})
        """
        return {row.name: caseStatus(row, self.table, sourceProblem) for row in self.table.rows}

    def statement(self) -> str:
        """Return one sentence that says what a training on the table will do.

        Example:
            print(logic.statement())

        Raises:
            DatasetError: no training case is labelled.
        """
        return trainingStatement(self.table)

    # Training

    def prepareSteps(self) -> Steps[str]:
        """Return the work that writes the run of the chosen settings into the chosen folder, step by step."""
        parameters = self.getParameterNode()
        settings = self.controller.settings(parameters.preset, json.loads(parameters.changedSettings))
        return self.controller.prepare(self.table, self.runFolder(), settings, parameters.compareWithBaseline)

    def startPrepared(self) -> None:
        """Start the background process of the run that was prepared.

        Raises:
            RunError: it cannot be started.
        """
        parameters = self.getParameterNode()
        self.controller.start(self.runFolder(), parameters.device)

    def startTraining(
        self,
        folder: str | Path,
        preset: str = "standard",
        changes: dict[str, Any] | None = None,
        device: str = "auto",
        compareWithBaseline: bool = False,
    ) -> str:
        """Write the dataset into a new run folder, start training in the background, and return what it will do.

        Args:
            changes: settings that differ from the preset, by the names in AIDELib.settings.

        Example:
            logic.startTraining("/data/my run", preset="quick", changes={"epochs": 20})

        Raises:
            AIDEError: the table cannot be trained on, a setting is wrong, or the folder cannot be used.
        """
        parameters = self.getParameterNode()
        parameters.runFolder = str(folder)
        parameters.preset = preset
        parameters.changedSettings = json.dumps(changes or {})
        parameters.device = device
        parameters.compareWithBaseline = compareWithBaseline
        statement = completeSteps(self.prepareSteps())
        self.startPrepared()
        return statement

    def openRun(self, folder: str | Path) -> RunView:
        """Look at a run that was started before, here or elsewhere.

        Example:
            print(logic.openRun("/data/my run").text)
        """
        self.getParameterNode().runFolder = str(folder)
        return self.runView()

    def runView(self) -> RunView:
        """Return where the run stands.

        Example:
            print(logic.runView().text)
        """
        return self.controller.view(self.runFolder())

    def pauseTraining(self) -> None:
        """Ask the run to pause.

        Example:
            logic.pauseTraining()
        """
        self.controller.pause(self.runFolder())

    def stopTraining(self) -> None:
        """Ask the run to stop; finished epochs are kept.

        Example:
            logic.stopTraining()
        """
        self.controller.stop(self.runFolder())

    def resumeTraining(self) -> None:
        """Go on with a run that was paused, stopped or interrupted.

        Example:
            logic.resumeTraining()

        Raises:
            RunError: there is nothing to resume.
        """
        parameters = self.getParameterNode()
        self.controller.resume(self.runFolder(), parameters.device)

    def continueTraining(self, moreEpochs: int) -> None:
        """Train for more epochs, with the decisions about labels that were made since.

        Example:
            logic.continueTraining(10)

        Raises:
            RunError: the run is being trained, or there is none.
        """
        parameters = self.getParameterNode()
        self.controller.start(self.runFolder(), parameters.device, moreEpochs)

    # Review

    def reviewCases(self) -> list[ReviewedCase]:
        """Return the cases of the run, those with the most doubtful label first.

        Example:
            for case in logic.reviewCases():
                print(case.case, 1 - case.suspicion)
        """
        self.getParameterNode()
        return self.review.cases()

    def acceptCorrection(self, caseName: str) -> None:
        """Use the corrected label of a case from now on, as HQA.

        Example:
            logic.acceptCorrection("patient 3")
        """
        self.getParameterNode()
        self.review.acceptCorrection(caseName)

    def keepGiven(self, caseName: str) -> None:
        """Keep the given label of a case, as HQA.

        Example:
            logic.keepGiven("patient 3")
        """
        self.getParameterNode()
        self.review.keepGiven(caseName)

    # Results

    def run(self) -> RunFolder | None:
        """Return the run that is shown, None where its folder holds none."""
        run = RunFolder(self.runFolder())
        return run if run.description_file.is_file() else None

    def metricsTable(self) -> vtk.vtkObject:
        """Return the metrics of the test cases as a table node.

        Example:
            slicer.util.dataframeFromTable(logic.metricsTable())

        Raises:
            AIDEError: the model was not measured.
        """
        return metricsTable(self._requireRun())

    def comparison(self) -> str:
        """Return the comparison with the baseline in words, empty where there was none.

        Example:
            print(logic.comparison())
        """
        return comparisonText(self._requireRun())

    def exportModel(self, path: str | Path) -> None:
        """Save the model of the run as one file.

        Example:
            logic.exportModel("/data/liver.aide")

        Raises:
            AIDEError: there is no model yet, it is damaged, or the file cannot be written.
        """
        exportModel(self._requireRun(), Path(path))

    def openInSegmentation(self) -> None:
        """Open the module AIDE Segmentation with the model of the run.

        Example:
            logic.openInSegmentation()

        Raises:
            AIDEError: there is no model yet, or it is damaged.
        """
        run = self._requireRun()
        requireModel(run)
        # The module shows what its parameter node says when it is opened.
        slicer.util.getModuleLogic(SEGMENTATION_MODULE).getParameterNode().modelFile = str(run.model_file)
        slicer.util.selectModule(SEGMENTATION_MODULE)

    def _requireRun(self) -> RunFolder:
        run = self.run()
        if run is None:
            raise RunError(
                _("There is no training in the chosen run folder. Start one, or choose the folder of another.")
            )
        return run

    def _keys(self, names: Iterable[str]) -> list[str]:
        return [self.table.rowNamed(name).key for name in names]


def _absolute(folder: str) -> Path:
    """Return a folder that means the same for the process that trains, which works elsewhere."""
    return Path(folder).expanduser().absolute()
