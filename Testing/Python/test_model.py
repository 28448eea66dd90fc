import dataclasses
import json
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL, make_image

from AIDELib import label_pass
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


AXIAL = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.5), Normalization.SLICE, (16, 16))
SAGITTAL = SlicePlan(SliceOrientation.SAGITTAL, (1.5, 2.0), Normalization.SLICE, (16, 32))


def make_model(channels=("T1",), structures=(BALL,), count=2, network="multi-stream-unet", plans=(AXIAL,)) -> Model:
    torch.manual_seed(0)
    weights = tuple(create_network(network, len(channels), len(structures) + 1, 2).state_dict() for _ in range(count))
    return Model(ModelDescription(channels, structures, plans, network, 2, count, True, {"method": "aide"}), weights)


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
        (lambda document: document | {"slices": [document["slices"]] * 2}, "description is damaged"),
        (lambda document: document | {"format": "aide-model/2"}, "slices that are no list"),
        (
            lambda document: document | {"format": "aide-model/2", "slices": [document["slices"]]},
            "slices of 1 networks, where the model has 2",
        ),
        (
            lambda document: document | {"format": "aide-model/2", "slices": [document["slices"]] * 3},
            "slices of 3 networks, where the model has 2",
        ),
        (
            lambda document: document | {"format": "aide-model/2", "slices": [document["slices"], {}]},
            "description is damaged",
        ),
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


def test_offsets_are_added_to_the_logits_of_each_network(tmp_path):
    model = make_model()
    shifted = dataclasses.replace(
        model, description=dataclasses.replace(model.description, offsets=((0.0, 1.5), (0.0, -0.25)))
    )
    save_model(shifted, tmp_path / "m.aide")
    loaded = load_model(tmp_path / "m.aide")
    assert loaded.description == shifted.description
    assert loaded.description.to_json()["format"] == "aide-model/2"
    assert read_model_description(tmp_path / "m.aide").plans == (AXIAL,)
    images = torch.randn(1, 1, 16, 16)
    for plain, own, added in zip(model.create_networks(CPU), loaded.create_networks(CPU), (1.5, -0.25), strict=True):
        difference = own(images) - plain(images)
        assert difference[:, 0].abs().max() == 0
        torch.testing.assert_close(difference[:, 1], torch.full((1, 16, 16), added))


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([[0, 1]], "not 2 times 2 numbers"),
        ([[0, 1], [0, 1e9]], "beyond 100"),
        ([[0, 1], [0, "1"]], "instead of a number"),
    ],
)
def test_offsets_that_cannot_be(tmp_path, offsets, expected):
    document = make_model().description.to_json()
    document["network"]["offsets"] = offsets
    with pytest.raises(ModelError, match=expected):
        parse_model_document(document, tmp_path / "m.aide")


def test_a_model_of_before_the_size_was_saved(tmp_path):
    document = make_model().description.to_json()
    del document["slices"]["size"]
    assert parse_model_document(document, tmp_path / "m.aide").plan.size == (16, 16)


def test_slices_of_one_plane_are_one_object():
    document = make_model().description.to_json()
    assert document["format"] == "aide-model/1"
    assert document["slices"] == {"orientation": "axial", "spacing": [1.0, 1.5], "size": [16, 16]}
    assert make_model(plans=(AXIAL, AXIAL)).description.to_json() == document


def test_slices_of_two_planes_are_a_list(tmp_path):
    model = make_model(plans=(SAGITTAL, AXIAL))
    document = model.description.to_json()
    assert document["format"] == "aide-model/2"
    assert document["slices"] == [
        {"orientation": "sagittal", "spacing": [1.5, 2.0], "size": [16, 32]},
        {"orientation": "axial", "spacing": [1.0, 1.5], "size": [16, 16]},
    ]
    save_model(model, tmp_path / "m.aide")
    assert load_model(tmp_path / "m.aide").description == model.description
    assert read_model_description(tmp_path / "m.aide").plans == (SAGITTAL, AXIAL)


def test_the_plan_of_each_network():
    alike, apart = make_model(count=3).description, make_model(plans=(SAGITTAL, AXIAL)).description
    assert [alike.plan_of(index) for index in range(3)] == [AXIAL, AXIAL, AXIAL]
    assert [apart.plan_of(index) for index in range(2)] == [SAGITTAL, AXIAL]
    assert (alike.plan, apart.plan) == (AXIAL, SAGITTAL)


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ((), r"A model of 3 network\(s\) needs one slice plan, or one for each network; 0 given\."),
        ((AXIAL, SAGITTAL), r"A model of 3 network\(s\) needs one slice plan, or one for each network; 2 given\."),
        (
            (AXIAL, SAGITTAL, dataclasses.replace(AXIAL, normalization=Normalization.VOLUME)),
            r"The slice plans of a model need the same normalization\.",
        ),
    ],
)
def test_plans_that_do_not_fit_the_networks(plans, expected):
    with pytest.raises(ModelError, match=expected):
        make_model(count=3, plans=plans)


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
        model = Model(ModelDescription(("T1",), (BALL,), (own_plan,), "surroundings", 1, 1, False, {}), weights)
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


class Left(torch.nn.Module):
    """Foreground in the first 8 columns of each slice, with a probability that its weight says."""

    def __init__(self, channels, classes, width):
        super().__init__()
        self.logit = torch.nn.Parameter(torch.zeros(()))

    def forward(self, images):
        foreground = torch.full_like(images, -50.0)
        foreground[..., :8] = self.logit
        return torch.cat([torch.zeros_like(images), foreground], dim=1)


def left_model(*networks) -> Model:
    """Return a model of a plan and the probability of the foreground for each network."""
    register_network("left", Left)
    weights = tuple({"logit": torch.logit(torch.tensor(probability))} for _, probability in networks)
    plans = tuple(plan for plan, _ in networks)
    return Model(ModelDescription(("T1",), (BALL,), plans, "left", 1, len(networks), False, {}), weights)


ALONG_X = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.SLICE, (16, 16))
ALONG_Y = dataclasses.replace(ALONG_X, orientation=SliceOrientation.SAGITTAL)


@pytest.mark.parametrize(
    ("networks", "both", "left", "front"),
    [
        ([(ALONG_Y, 0.8), (ALONG_X, 0.6)], 0.7, 0.3, 0.4),
        # Each network counts alike, not each plane; those of one plane need not stand together.
        ([(ALONG_X, 0.9), (ALONG_Y, 0.6), (ALONG_X, 0.3)], 0.6, 0.4, 0.2),
    ],
)
def test_networks_of_two_planes_are_averaged_voxel_by_voxel(networks, both, left, front):
    image = make_image(np.random.default_rng(0).normal(size=(8, 16, 16)).astype(np.float32))
    prediction = Predictor(left_model(*networks), CPU).predict([image])
    expected = np.zeros((8, 16, 16))
    expected[:, :8, :8], expected[:, 8:, :8], expected[:, :8, 8:] = both, left, front
    np.testing.assert_allclose(sitk.GetArrayFromImage(prediction.probabilities[0]), expected, atol=1e-6)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(prediction.labels), expected > 0.5)


def oblique_image() -> sitk.Image:
    array = np.random.default_rng(2).normal(size=(8, 20, 26)).astype(np.float32)
    return make_image(array, (0.9, 1.3, 3.0), (10.0, -20.0, 30.0), OBLIQUE)


def test_two_planes_predict_the_mean_of_what_each_predicts_alone():
    image = oblique_image()
    model = make_model(plans=(SAGITTAL, AXIAL))
    found = Predictor(model, CPU).predict([image]).probabilities[0]
    assert (found.GetOrigin(), found.GetDirection(), found.GetSpacing(), found.GetSize()) == (
        image.GetOrigin(),
        image.GetDirection(),
        image.GetSpacing(),
        image.GetSize(),
    )
    own = []
    for weights, plan in zip(model.weights, (SAGITTAL, AXIAL), strict=True):
        description = dataclasses.replace(model.description, plans=(plan,), network_count=1)
        alone = Predictor(Model(description, (weights,)), CPU).predict([image])
        own.append(sitk.GetArrayFromImage(alone.probabilities[0]))
    assert np.abs(own[0] - own[1]).max() > 0.01
    np.testing.assert_allclose(sitk.GetArrayFromImage(found), (own[0] + own[1]) / 2, atol=1e-6)
    for predictor, expected in zip(Predictor(model, CPU).apart(), own, strict=True):
        alone = predictor.predict([image])
        np.testing.assert_array_equal(sitk.GetArrayFromImage(alone.probabilities[0]), expected)


def test_a_flat_image_is_left_to_the_plane_that_shows_it():
    model = make_model(plans=(SAGITTAL, AXIAL))
    flat = make_image(np.random.default_rng(0).normal(size=(7, 16, 17)).astype(np.float32), (1.0, 1.0, 1.0))
    _, axial = Predictor(model, CPU).apart()
    expected = sitk.GetArrayFromImage(axial.predict([flat]).probabilities[0])
    assert np.array_equal(sitk.GetArrayFromImage(Predictor(model, CPU).predict([flat]).probabilities[0]), expected)


def test_the_progress_runs_once_over_all_planes(monkeypatch):
    monkeypatch.setattr(label_pass, "PIXELS_PER_BATCH_ON_CPU", 8 * 16 * 16)
    image = make_image(np.zeros((16, 16, 16), np.float32))
    shares: list[float] = []
    Predictor(left_model((ALONG_Y, 0.8), (ALONG_X, 0.6)), CPU).predict([image], shares.append)
    assert shares == [0.0, 0.25, 0.5, 0.5, 0.75, 1.0]
    shares.clear()
    Predictor(left_model((ALONG_Y, 0.8), (ALONG_X, 0.6), (ALONG_X, 0.6)), CPU).predict([image], shares.append)
    assert shares == pytest.approx([0, 1 / 6, 1 / 3, 1 / 3, 2 / 3, 1])
    assert shares[-1] == 1.0


def test_a_prediction_is_cancelled_in_the_second_plane():
    class Cancelled(Exception):
        pass

    def cancel(share):
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        Predictor(make_model(plans=(SAGITTAL, AXIAL)), CPU).predict([oblique_image()], cancel)
