"""The choices that are saved with the scene."""

from __future__ import annotations

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class SegmentationParameterNode:
    """What the user chose.

    Attributes:
        modelFile: path of the model file; "" for none.
        channelVolumes: the volume of each channel of the model, in its order.
        outputSegmentation: receives the segments; None for a new one.
        device: "auto", "cpu", "cuda" or "mps".
        largestComponent: whether each structure's largest part alone is kept.
        largestComponentOf: the model file that `largestComponent` was last taken from; what the user chose since stays.
        probabilities: whether probability volumes are added to the scene too.
        batchFromFolder: whether the batch takes its images from a folder instead of the scene.
        batchInputFolder: that folder.
        batchToFolder: whether the batch's segmentations are written into a folder instead of the scene.
        batchOutputFolder: that folder.
        comparedSegmentation: the segmentation that is compared.
        referenceSegmentation: the one that counts as the truth.
    """

    modelFile: str = ""
    channelVolumes: list[vtkMRMLScalarVolumeNode]
    outputSegmentation: vtkMRMLSegmentationNode
    device: str = "auto"
    largestComponent: bool = True
    largestComponentOf: str = ""
    probabilities: bool = False
    batchFromFolder: bool = False
    batchInputFolder: str = ""
    batchToFolder: bool = False
    batchOutputFolder: str = ""
    comparedSegmentation: vtkMRMLSegmentationNode
    referenceSegmentation: vtkMRMLSegmentationNode
