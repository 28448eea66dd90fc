"""What the module does, for its panel and for scripts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import slicer
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from AIDELib.model_description import read_model_description
from AIDESegmentationLib.comparison import Comparison, compareFiles, prepareComparison
from AIDESegmentationLib.examination import Examination, Segmented
from AIDESegmentationLib.model_library import ModelLibrary
from AIDESegmentationLib.segmentation_job import JobObserver, JobOptions, SegmentationJob
from AIDESegmentationLib.segmentation_parameter_node import SegmentationParameterNode
from AIDESlicer.node_removal import removeNode
from AIDESlicer.own_nodes import NodeRole, markNode
from AIDESlicer.segment_import import addSegments
from AIDESlicer.volume_import import addSnapshot, addVolume
from AIDESlicer.worker_thread import whileSlicerAnswers

# Between two looks whether a job is over: short enough for a smooth window, long enough to leave the computing to others.
WAITING_SECONDS = 0.02
LIBRARY_SETTING = "AIDESegmentation/ModelLibrary"


class SegmentationLogic(ScriptedLoadableModuleLogic):
    """Segments volumes of the scene with trained models, and compares segmentations.

    The whole way, with a volume and a segmentation by hand in the scene:

        logic = slicer.util.getModuleLogic("AIDESegmentation")
        volume = slicer.util.getNode("liver MR")
        segmentation = logic.segment("/models/liver.aide", [volume])
        print(logic.compare(segmentation, slicer.util.getNode("by hand")))
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        # The parameter node is found again by this name, whatever the class is called.
        self.moduleName = "AIDESegmentation"

    def getParameterNode(self) -> SegmentationParameterNode:
        """Return the choices saved with the scene."""
        return SegmentationParameterNode(super().getParameterNode())

    def libraryFolder(self) -> Path:
        """Return the folder of the model library."""
        return Path(slicer.app.userSettings().value(LIBRARY_SETTING) or Path.home() / "AIDE models")

    def setLibraryFolder(self, folder: Path) -> None:
        """Take another folder as model library; kept in Slicer's settings."""
        slicer.app.userSettings().setValue(LIBRARY_SETTING, str(folder))

    def library(self) -> ModelLibrary:
        """Return the model library."""
        return ModelLibrary(self.libraryFolder())

    def startJob(
        self, model: Path, examinations: Sequence[Examination], options: JobOptions, observer: JobObserver
    ) -> SegmentationJob:
        """Start to segment in the background and return the job.

        Raises:
            AIDEError: the model, a volume or the temporary folder cannot be used.
        """
        job = SegmentationJob(model, read_model_description(model), examinations, options, observer)
        job.start()
        return job

    def addToScene(self, result: Segmented) -> vtkMRMLSegmentationNode:
        """Add a result to the scene; on any error the scene is as before.

        Raises:
            VolumeError: the volume or the segmentation no longer fits it.
        """
        if result.volumeRead is None:
            return self._addSegments(result, result.volumeNode)
        volume = addSnapshot(result.volumeRead)
        try:
            return self._addSegments(result, volume)
        except BaseException:
            removeNode(volume)
            raise

    def _addSegments(self, result: Segmented, volume: vtkMRMLScalarVolumeNode) -> vtkMRMLSegmentationNode:
        examination = result.examination
        existing = slicer.mrmlScene.GetNodeByID(examination.segmentationId) if examination.segmentationId else None
        name = _("{volume} segmentation").format(volume=volume.GetName())
        segmentation = addSegments(result.labels, result.structures, volume, existing, name)
        for structureName, image in result.probabilities.items():
            title = _("{volume} {structure} probability").format(volume=volume.GetName(), structure=structureName)
            markNode(addVolume(image, volume, title), NodeRole.PROBABILITY)
        return segmentation

    def segment(
        self,
        model: Path | str,
        volumes: Sequence[vtkMRMLScalarVolumeNode],
        segmentation: vtkMRMLSegmentationNode | None = None,
        device: str = "auto",
        largestComponent: bool | None = None,
        probabilities: bool = False,
    ) -> vtkMRMLSegmentationNode:
        """Segment one examination and return its segmentation node; Slicer answers meanwhile.

        Args:
            model: a model file or the folder of a training run.
            volumes: one per channel of the model, in its order.
            segmentation: receives the segments; None for a new one.
            device: "auto", "cpu", "cuda" or "mps".
            largestComponent: whether each structure's largest part alone is kept; None for what the model says.
            probabilities: whether probability volumes are added to the scene.

        Raises:
            AIDEError: with what is wrong.
        """
        examination = Examination(
            volumes[0].GetName() if volumes else "",
            tuple(volumes),
            segmentationId=segmentation.GetID() if segmentation else "",
            probabilities=probabilities,
        )
        waiting = _Waiting(self)
        job = self.startJob(Path(model), [examination], JobOptions(device, largestComponent), waiting)
        while job.isRunning:
            slicer.app.processEvents()
            time.sleep(WAITING_SECONDS)
        if waiting.error is not None:
            raise waiting.error
        return waiting.segmentations[0]

    def compare(
        self, segmentation: vtkMRMLSegmentationNode, reference: vtkMRMLSegmentationNode
    ) -> Mapping[str, Mapping[str, float | None]]:
        """Return DSC, RAVD, ASSD and MSSD (mm) of each segment by name, None where undefined; Slicer answers meanwhile.

        Raises:
            AIDEError: the segmentations cannot be compared.
        """
        comparison = self.prepareComparison(segmentation, reference)
        return whileSlicerAnswers(lambda: compareFiles(comparison))

    def prepareComparison(
        self, segmentation: vtkMRMLSegmentationNode, reference: vtkMRMLSegmentationNode
    ) -> Comparison:
        """Return a comparison that `compareFiles` carries out in any thread.

        Raises:
            VolumeError: the segmentations share no segment name, or it is not known on which volume they lie.
            RunError: there is no place for temporary files.
        """
        return prepareComparison(segmentation, reference)


class _Waiting:
    """Remembers what a job tells, for callers that wait for its end."""

    def __init__(self, logic: SegmentationLogic) -> None:
        self._logic = logic
        self.segmentations: list[vtkMRMLSegmentationNode] = []
        self.error: Exception | None = None

    def onProgress(self, share: float, secondsLeft: float | None, what: str) -> None:
        """Is not shown."""

    def onSegmented(self, result: Segmented) -> None:
        self.segmentations.append(self._logic.addToScene(result))

    def onFailed(self, examination: Examination, error: Exception) -> None:
        self.error = error

    def onEnded(self, error: Exception | None) -> None:
        self.error = self.error or error
