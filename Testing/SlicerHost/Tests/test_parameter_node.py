"""Parameter nodes: what is stored under which name, what is refused, what changes by itself."""

import enum
from pathlib import Path
from typing import Annotated, Optional, Union

import pytest
import slicer
from slicer.parameterNodeWrapper import (
    Choice,
    Default,
    Maximum,
    Minimum,
    parameterNodeWrapper,
    parameterPack,
)


class Quality(enum.Enum):
    HQA = 1
    LQA = 2


@parameterPack
class Box:
    width: float = 1.0
    label: str = "box"


@parameterNodeWrapper
class Parameters:
    count: Annotated[int, Minimum(0), Maximum(9)] = 3
    ratio: float
    name: str
    quality: Quality
    folder: Annotated[Path, Default(Path("/data"))]
    names: list[str]
    sizes: dict[str, int]
    pair: tuple[int, str]
    box: Box
    device: Annotated[str, Choice(["cpu", "cuda"])] = "cuda"
    volume: slicer.vtkMRMLScalarVolumeNode
    either: Union[int, str]  # noqa: UP007
    maybe: Optional[float]  # noqa: UP045
    node_or_none: slicer.vtkMRMLTableNode | None


@pytest.fixture
def node(slicer_app):
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")


@pytest.fixture
def parameters(node):
    return Parameters(node)


def test_defaults(parameters):
    assert (parameters.count, parameters.ratio, parameters.name) == (3, 0, "")
    assert parameters.quality is Quality.HQA
    assert parameters.folder == Path("/data")
    assert parameters.names == []
    assert parameters.sizes == {}
    assert parameters.pair == (0, "")
    assert parameters.box == Box(1.0, "box")
    assert parameters.device == "cuda"
    assert parameters.volume is None
    assert parameters.either == 0
    assert parameters.maybe is None
    assert parameters.node_or_none is None


def test_values_are_stored_as_slicer_stores_them(parameters, node):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.count = 5
    parameters.quality = Quality.LQA
    parameters.names = ["T1", "T2"]
    parameters.sizes = {"a": 1}
    parameters.box = Box(2.5, "tall")
    parameters.volume = volume
    parameters.either = "text"
    stored = {
        "count": "5",
        "quality": "LQA",
        "names.len": "2",
        "names.1": "T2",
        "sizes.len": "1",
        "sizes.0.0": "a",
        "sizes.0.1": "1",
        "box.width": "2.5",
        "box.label": "tall",
        "volume": "",
        "either.1": "text",
    }
    assert {key: node.GetParameter(key) for key in stored} == stored
    assert node.GetNodeReferenceID("volume") == volume.GetID()
    assert not node.HasParameter("either.0")


def test_stored_values_are_read_by_another_wrapper(parameters, node):
    parameters.count = 8
    parameters.names.append("T1")
    parameters.sizes["b"] = 4
    parameters.box.width = 7.5
    other = Parameters(node)
    assert (other.count, other.names, other.sizes, other.box.width) == (8, ["T1"], {"b": 4}, 7.5)


def test_shorter_list_leaves_nothing_behind(parameters, node):
    parameters.names = ["one", "two", "three"]
    parameters.names = ["one"]
    assert node.GetParameter("names.len") == "1"
    assert not node.HasParameter("names.1")
    del parameters.names[0]
    assert parameters.names == []


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("count", 10, ValueError),
        ("count", -1, ValueError),
        ("count", "4", TypeError),
        ("count", None, ValueError),
        ("name", 3, TypeError),
        ("device", "mps", ValueError),
        ("quality", "HQA", TypeError),
        ("folder", "/data", TypeError),
    ],
)
def test_wrong_values_are_refused_and_the_old_one_stays(parameters, name, value, error):
    before = getattr(parameters, name)
    with pytest.raises(error):
        setattr(parameters, name, value)
    assert getattr(parameters, name) == before


def test_wrong_element_leaves_the_list_as_it_was(parameters):
    parameters.names = ["one"]
    with pytest.raises(TypeError):
        parameters.names = ["two", 3]
    assert parameters.names == ["one"]


def test_cached_value_follows_the_node(parameters, node):
    assert parameters.isCached("count")
    node.SetParameter("count", "6")
    assert parameters.count == 6


def test_dotted_names_reach_into_packs(parameters):
    parameters.setValue("box.width", 3.5)
    assert parameters.getValue("box.width") == 3.5
    assert parameters.dataType("box.label") is str
    with pytest.raises(ValueError, match="nothing"):
        parameters.getValue("nothing")


def test_node_removed_from_the_scene_reads_as_none(node):
    parameters = Parameters(node)
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    parameters.volume = volume
    slicer.mrmlScene.RemoveNode(volume)
    assert Parameters(node).volume is None


def test_one_change_for_several_parameters(parameters, node):
    changes = []
    node.AddObserver("ModifiedEvent", lambda caller, event: changes.append(event))
    with slicer.util.NodeModify(parameters):
        parameters.count = 1
        parameters.name = "one"
    assert len(changes) == 1
