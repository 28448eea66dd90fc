import dataclasses
import json
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL, make_image

from AIDELib.errors import ModelError
from AIDELib.model import Model, load_model, save_model
from AIDELib.model_description import ModelDescription, parse_model_document, read_model_description
from AIDELib.networks import create_network, register_network
from AIDELib.predictor import Predictor
from AIDELib.settings import Normalization
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.structure import Structure

CPU = torch.device("cpu")
OBLIQUE = [[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]


def make_model(channels=("T1",), structures=(BALL,), count=2, network="multi-stream-unet") -> Model:
    torch.manual_seed(0)
    weights = tuple(create_network(network, len(channels), len(structures) + 1, 2).state_dict() for _ in range(count))
    plan = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.5), Normalization.SLICE, (16, 16))
    return Model(ModelDescription(channels, structures, plan, network, 2, count, True, {"method": "aide"}), weights)


def test_a_model_is_what_was_saved(tmp_path):
    model = make_model(("T1", "T2"), (BALL, Structure("cube", (1, 2), (1, 2, 3), "list~SCT^1^Tissue~SCT^2^Cube")))
    save_model(model, tmp_path / "m.aide")
    loaded = load_model(tmp_path / "m.aide")
    assert loaded.description == model.description == read_model_description(tmp_path / "m.aide")
    for own, other in zip(loaded.weights, model.weights, strict=True):
        assert all(torch.equal(own[name], other[name]) for name in other)


def test_a_model_file_holds_json_and_safetensors_alone(tmp_path):
    save_model(make_model(), tmp_path / "m.aide")
    with zipfile.ZipFile(tmp_path / "m.aide") as archive:
        assert archive.namelist() == [
            "model.json",
            "network1.safetensors",
            "network2.safetensors",
            "SHA256SUMS",
        ]
        document = json.loads(archive.read("model.json"))
    assert document["structures"] == [{"name": "ball", "value": [5], "color": [230, 30, 30], "terminology": ""}]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda document: document | {"format": "aide-model/9"}, "has the format 'aide-model/9'"),
        (lambda document: document | {"network": {"name": "vgg", "width": 2, "count": 2}}, "no network 'vgg'"),
        (
            lambda document: document | {"network": {"name": "multi-stream-unet", "width": 4, "count": 2}},
            "but the network needs 2 x 4 x 1 x 1",
        ),
        (lambda document: document | {"slices": {}}, "description is damaged"),
        (
            lambda document: document | {"slices": {"orientation": "axial", "spacing": [0, 1]}},
            "description is damaged",
        ),
        (
            lambda document: document | {"slices": document["slices"] | {"size": [16, 10**9]}},
            "slice edge 1000000000, where 1 to 4096 is possible",
        ),
        (
            lambda document: document | {"network": {"name": "multi-stream-unet", "width": 2, "count": 3}},
            "there is no network3.safetensors in it",
        ),
        (lambda document: [document], "no usable AIDE model"),
    ],
)
def test_a_model_that_cannot_be_used(tmp_path, change, expected):
    path = tmp_path / "m.aide"
    save_model(make_model(), path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["model.json"] = json.dumps(change(json.loads(content["model.json"]))).encode()
    del content["SHA256SUMS"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError) as caught:
        Predictor(load_model(path), CPU)
    assert expected in str(caught.value)


def test_a_model_of_before_the_size_was_saved(tmp_path):
    document = make_model().description.to_json()
    del document["slices"]["size"]
    assert parse_model_document(document, tmp_path / "m.aide").plan.size == (16, 16)


class Surroundings(torch.nn.Module):
    """Foreground where there is more than a little of the slice's surroundings in the image."""

    def __init__(self, channels, classes, width):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        foreground = (images == 0).float().mean() - 0.5 + self.nothing
        return torch.cat([torch.zeros_like(images), foreground.expand_as(images)], dim=1)


def test_small_images_are_padded_as_they_were_in_training():
    register_network("surroundings", Surroundings)
    plan = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.SLICE, (32, 48))
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(2, 16, 20)).astype(np.float32))
    weights = (Surroundings(1, 2, 1).state_dict(),)
    for own_plan, expected in ((plan, 1), (dataclasses.replace(plan, size=(16, 16)), 0)):
        model = Model(ModelDescription(("T1",), (BALL,), own_plan, "surroundings", 1, 1, False, {}), weights)
        labels = sitk.GetArrayFromImage(Predictor(model, CPU).predict([image]).labels)
        assert (labels == expected).all()


def test_a_file_that_is_cut_off(tmp_path):
    save_model(make_model(), tmp_path / "m.aide")
    data = (tmp_path / "m.aide").read_bytes()
    (tmp_path / "m.aide").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"m.aide is no usable AIDE model"):
        load_model(tmp_path / "m.aide")
    with pytest.raises(ModelError, match=r"m.aide is no usable AIDE model"):
        read_model_description(tmp_path / "m.aide")


class Threshold(torch.nn.Module):
    """Foreground where the first channel is above its mean: what it predicts is known on any grid."""

    def __init__(self, channels, classes, width):
        super().__init__()
        self.sharpness = torch.nn.Parameter(torch.tensor(50.0))

    def forward(self, images):
        return torch.cat([torch.zeros_like(images[:, :1]), self.sharpness * images[:, :1]], dim=1)


@pytest.mark.parametrize(
    ("shape", "spacing", "direction"),
    [
        ((5, 20, 24), (1.0, 1.5, 5.0), None),
        ((5, 20, 24), (1.0, 1.5, 5.0), OBLIQUE),
        ((5, 20, 24), (1.0, 1.5, 5.0), np.diag([-1.0, -1.0, 1.0])),
        ((5, 20, 24), (1.0, 1.5, 5.0), np.diag([1.0, 1.0, -1.0])),
        ((20, 24), (1.0, 1.5), None),
    ],
    ids=["straight", "oblique", "flipped in plane", "flipped slices", "2D"],
)
def test_the_mask_lies_on_the_images_own_grid(shape, spacing, direction):
    register_network("threshold", Threshold)
    array = np.zeros(shape, np.float32)
    array[..., 4:9, 6:16] = 100
    image = make_image(array, spacing, (10.0, -20.0, 30.0)[: len(shape)], direction)
    prediction = Predictor(make_model(network="threshold", count=1), CPU).predict([image])
    assert (prediction.labels.GetOrigin(), prediction.labels.GetDirection(), prediction.labels.GetSpacing()) == (
        image.GetOrigin(),
        image.GetDirection(),
        image.GetSpacing(),
    )
    np.testing.assert_array_equal(sitk.GetArrayFromImage(prediction.labels), (array > 0).astype(np.uint8))


def test_a_finer_grid_than_the_models_keeps_the_structure_in_place():
    register_network("threshold", Threshold)
    array = np.zeros((3, 60, 60), np.float32)
    array[:, 20:40, 10:50] = 100
    image = make_image(array, (0.5, 0.75, 5.0), direction=OBLIQUE)
    mask = sitk.GetArrayFromImage(Predictor(make_model(network="threshold", count=1), CPU).predict([image]).labels)
    assert 2 * (mask * (array > 0)).sum() / (mask.sum() + (array > 0).sum()) > 0.95


def test_a_cancelled_prediction_ends_at_once():
    class Cancelled(Exception):
        pass

    def cancel(share):
        raise Cancelled

    with pytest.raises(Cancelled):
        Predictor(make_model(), CPU).predict([make_image(np.zeros((3, 16, 16), np.float32))], cancel)
