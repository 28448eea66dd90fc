"""Reading and writing of nodes and scenes, with Slicer's own storage nodes and logics."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import slicer
import vtk

_EXTENSIONS = {
    "SceneFile": (".mrml", ".mrb"),
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "TableFile": (".csv", ".tsv", ".schema.csv"),
    "TransformFile": (".tfm", ".h5", ".mat", ".txt.tfm"),
    "ModelFile": (".vtk", ".vtp", ".stl", ".obj", ".ply"),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "TextFile": (".txt", ".json", ".xml"),
    "ColorTableFile": (".ctbl",),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".hdr", ".img", ".png", ".jpg", ".tif", ".dcm"),
}
_WRITERS = (
    ("vtkMRMLSegmentationNode", "SegmentationFile"),
    ("vtkMRMLVolumeNode", "VolumeFile"),
    ("vtkMRMLTableNode", "TableFile"),
    ("vtkMRMLTransformNode", "TransformFile"),
    ("vtkMRMLModelNode", "ModelFile"),
    ("vtkMRMLMarkupsNode", "MarkupsFile"),
    ("vtkMRMLTextNode", "TextFile"),
    ("vtkMRMLColorNode", "ColorTableFile"),
)


class qSlicerCoreIOManager:
    """Loads and saves."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene

    def fileType(self, filename: str) -> str:
        """Return the type of file whose longest extension matches; VolumeFile otherwise."""
        name = str(filename).lower()
        matches = [(len(end), kind) for kind, ends in _EXTENSIONS.items() for end in ends if name.endswith(end)]
        return max(matches)[1] if matches else "VolumeFile"

    def fileWriterFileType(self, node: Any) -> str:
        return next((kind for class_name, kind in _WRITERS if node.IsA(class_name)), "NoFile")

    def loadNodes(self, file_type: str, properties: dict, loaded: Any, messages: Any = None) -> bool:
        """Load a file into the scene; add the new nodes to the collection."""
        path = properties["fileName"]
        if not os.path.exists(path):
            if messages is not None:
                messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"File not found: {path}")
            return False
        node = getattr(self, f"_load_{file_type}")(path, properties)
        if node is None or node is False:
            return False
        if node is not True:
            loaded.AddItem(node)
        return True

    def loadScene(self, path: str, clear: bool = True) -> bool:
        if clear:
            self._scene.Clear(False)
        return self._load_SceneFile(path, {})

    def _load_SceneFile(self, path: str, properties: dict) -> bool:
        if properties.get("clear"):
            self._scene.Clear(False)
        if path.lower().endswith(".mrb"):
            return bool(self._scene.ReadFromMRB(path))
        self._scene.SetURL(path)
        return bool(self._scene.Import())

    def _load_VolumeFile(self, path: str, properties: dict) -> Any:
        logic = slicer.modules.volumes.logic()
        name = properties.get("name") or Path(path).name.split(".")[0]
        # Bits of vtkSlicerVolumesLogic::LoadingOptions.
        options = 0
        options |= 1 if properties.get("labelmap") else 0
        options |= 2 if properties.get("center") else 0
        options |= 4 if properties.get("singleFile") else 0
        options |= 8 if properties.get("autoWindowLevel") else 0
        options |= 16 if properties.get("discardOrientation") else 0
        files = None
        if properties.get("fileNames"):
            files = vtk.vtkStringArray()
            for file in properties["fileNames"]:
                files.InsertNextValue(str(file))
        node = logic.AddArchetypeVolume(path, name, options, files)
        if node is not None and properties.get("show", True):
            selection = self._scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
            if node.IsA("vtkMRMLLabelMapVolumeNode"):
                selection.SetActiveLabelVolumeID(node.GetID())
            else:
                selection.SetActiveVolumeID(node.GetID())
            slicer.app.applicationLogic().PropagateVolumeSelection()
        return node

    def _load_SegmentationFile(self, path: str, properties: dict) -> Any:
        name = properties.get("name", "")
        color = self._scene.GetNodeByID(properties["colorNodeID"]) if properties.get("colorNodeID") else None
        logic = slicer.modules.segmentations.logic()
        return logic.LoadSegmentationFromFile(path, properties.get("autoOpacities", True), name, color)

    def _load_with_storage(self, class_name: str, path: str, properties: dict) -> Any:
        name = properties.get("name") or Path(path).name.split(".")[0]
        node = self._scene.AddNewNodeByClass(class_name, self._scene.GetUniqueNameByString(name))
        node.AddDefaultStorageNode(path)
        if node.GetStorageNode().ReadData(node):
            return node
        self._scene.RemoveNode(node)
        return None

    def _load_TableFile(self, path: str, properties: dict) -> Any:
        return self._load_with_storage("vtkMRMLTableNode", path, properties)

    def _load_TextFile(self, path: str, properties: dict) -> Any:
        return self._load_with_storage("vtkMRMLTextNode", path, properties)

    def _load_ColorTableFile(self, path: str, properties: dict) -> Any:
        return slicer.modules.colors.logic().LoadColorFile(path)

    def _load_TransformFile(self, path: str, properties: dict) -> Any:
        return slicer.modules.transforms.logic().AddTransform(path, self._scene)

    def _load_ModelFile(self, path: str, properties: dict) -> Any:
        return slicer.modules.models.logic().AddModel(path)

    def _load_MarkupsFile(self, path: str, properties: dict) -> Any:
        node_id = slicer.modules.markups.logic().LoadMarkups(path, "")
        return self._scene.GetNodeByID(node_id) if node_id else None

    def saveNodes(self, file_type: str, properties: dict, messages: Any = None) -> bool:
        path = properties["fileName"]
        if file_type == "SceneFile":
            return self._save_scene(str(path))
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = node.GetStorageNode()
        if storage is None:
            node.AddDefaultStorageNode()
            storage = node.GetStorageNode()
        if storage is None:
            return False
        storage.SetFileName(str(path))
        storage.SetUseCompression(int(properties.get("useCompression", storage.GetUseCompression())))
        saved = bool(storage.WriteData(node))
        if not saved and messages is not None:
            messages.AddMessages(storage.GetUserMessages())
        return saved

    def _save_scene(self, path: str) -> bool:
        if path.lower().endswith(".mrb"):
            return bool(self._scene.WriteToMRB(path))
        if path.lower().endswith(".mrml"):
            self._scene.SetURL(path)
            return bool(self._scene.Commit())
        if os.path.isdir(path):
            shutil.rmtree(path)
        os.makedirs(path)
        return bool(self._scene.SaveSceneToSlicerDataBundleDirectory(path, None))

    def fileWriterExtensions(self, node: Any) -> list[str]:
        storage = node.CreateDefaultStorageNode()
        storage.UnRegister(None)
        # The formats are known to the scene's data manager.
        storage.SetScene(self._scene)
        types = storage.GetSupportedWriteFileTypes()
        return [types.GetValue(index) for index in range(types.GetNumberOfValues())]

    def extractKnownExtension(self, filename: str, node: Any) -> str:
        helper = slicer.vtkDataFileFormatHelper
        known = [helper.GetFileExtensionFromFormatString(text) for text in self.fileWriterExtensions(node)]
        return max((end for end in known if filename.lower().endswith(end)), key=len, default="")

    def exportNodes(self, node_ids: Any, filenames: Any, properties: dict, harden: bool, messages: Any = None) -> bool:
        """Write copies of nodes, so that the nodes' own storage stays as it is."""
        saved = True
        for node_id, filename in zip(node_ids, filenames, strict=True):
            node = self._scene.GetNodeByID(node_id)
            storage = node.CreateDefaultStorageNode()
            storage.UnRegister(None)
            storage.SetScene(self._scene)
            storage.SetFileName(str(filename))
            storage.SetUseCompression(int(properties.get("useCompression", True)))
            copy = self._scene.AddNewNodeByClass(node.GetClassName(), "__export__")
            copy.Copy(node)
            if harden and copy.IsA("vtkMRMLTransformableNode"):
                copy.HardenTransform()
            saved = bool(storage.WriteData(copy)) and saved
            if messages is not None:
                messages.AddMessages(storage.GetUserMessages())
            self._scene.RemoveNode(copy)
        return saved
