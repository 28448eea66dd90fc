"""Slicer's own module Segment Editor, which is a scripted one: its panel with the editor, and the node it is kept in."""

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin


class SegmentEditor(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "Segment Editor"
        parent.categories = ["", "Segmentation"]
        parent.dependencies = ["Segmentations", "SubjectHierarchy"]


class SegmentEditorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.parameterSetNode = None
        self.editor = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.selectParameterNode()
        self.editor.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(self.editor)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneReplaced)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneReplaced)

    def selectParameterNode(self):
        node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
            node.UnRegister(None)
            node.SetSingletonTag("SegmentEditor")
            node = slicer.mrmlScene.AddNode(node)
        if self.parameterSetNode is node:
            return
        self.parameterSetNode = node
        self.editor.setMRMLSegmentEditorNode(node)

    def enter(self):
        self.selectParameterNode()
        if self.editor.segmentationNode() is None:
            node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
            self.editor.setSegmentationNode(node or slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode"))

    def exit(self):
        self.editor.setActiveEffect(None)

    def onSceneStartClose(self, caller, event):
        self.parameterSetNode = None
        self.editor.setSegmentationNode(None)

    def onSceneReplaced(self, caller, event):
        if self.parent.isEntered:
            self.selectParameterNode()

    def cleanup(self):
        self.removeObservers()
