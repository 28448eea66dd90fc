import dataclasses
import json

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL

from AIDELib.commands import main
from AIDELib.errors import ModelError
from AIDELib.model import Model, load_model, save_model
from AIDELib.model_description import ModelDescription
from AIDELib.model_export import export_folder, slice_ensemble
from AIDELib.networks import create_network
from AIDELib.settings import Normalization
from AIDELib.slicing import SliceOrientation, SlicePlan

SIZES = [(1, 32, 48), (3, 50, 37), (2, 16, 16)]


@pytest.fixture
def model_path(tmp_path):
    torch.manual_seed(3)
    networks = [create_network("multi-stream-unet", 2, 2, 2) for _ in range(2)]
    for network in networks:
        for _ in range(3):  # statistics that are no longer those of a new network
            network.train()(torch.randn(4, 2, 32, 32))
    plan = SlicePlan(SliceOrientation.AXIAL, (1.5, 1.5), Normalization.SLICE, (64, 48))
    description = ModelDescription(("T1", "T2"), (BALL,), (plan,), "multi-stream-unet", 2, 2, True, {"torch": "2.13.0"})
    save_model(Model(description, tuple(dict(network.state_dict()) for network in networks)), tmp_path / "m.aide")
    return tmp_path / "m.aide"


def expected_probabilities(model_path, images, smallest=(64, 48)):
    """Return what the model's own networks say of padded slices, averaged."""
    height, width = images.shape[2:]
    rows, columns = (-(-max(own, least) // 16) * 16 for own, least in zip((height, width), smallest, strict=True))
    padded = torch.zeros(*images.shape[:2], rows, columns)
    top, left = (padded.shape[2] - height) // 2, (padded.shape[3] - width) // 2
    padded[:, :, top : top + height, left : left + width] = images
    with torch.inference_mode():
        networks = load_model(model_path).create_networks(torch.device("cpu"))
        mean = sum(network(padded).softmax(dim=1) for network in networks) / 2
    return mean[:, :, top : top + height, left : left + width]


@pytest.mark.parametrize("size", SIZES)
def test_torchscript_gives_the_same_output_for_every_size(model_path, tmp_path, size):
    assert main(["export", str(model_path), "--to", "torchscript", "--output", str(tmp_path / "m.ts")]) == 0
    extra = {"model.json": ""}
    module = torch.jit.load(str(tmp_path / "m.ts"), _extra_files=extra)
    images = torch.randn(size[0], 2, *size[1:])
    torch.testing.assert_close(module(images), expected_probabilities(model_path, images))
    assert json.loads(extra["model.json"])["structures"][0]["name"] == "ball"


@pytest.mark.parametrize("size", [(1, 32, 48), (5, 96, 16)])
def test_onnx_gives_the_same_output(model_path, tmp_path, size):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    assert main(["export", str(model_path), "--to", "onnx", "--output", str(tmp_path / "m.onnx")]) == 0
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    images = torch.randn(size[0], 2, *size[1:])
    (found,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(found, expected_probabilities(model_path, images, (16, 16)).numpy(), atol=1e-5)


def test_onnx_without_its_packages_says_what_to_install(model_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("AIDELib.model_export.importlib.util.find_spec", lambda name: None)
    assert main(["export", str(model_path), "--to", "onnx", "--output", str(tmp_path / "m.onnx")]) == 2
    assert "pip install onnx onnxscript" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["torchscript", "onnx", "monai-bundle"])
def test_a_model_of_several_planes_is_not_exported_as_one(model_path, tmp_path, form, monkeypatch, capsys):
    # The packages would not help.
    monkeypatch.setattr("AIDELib.model_export.importlib.util.find_spec", lambda name: None)
    model = load_model(model_path)
    plans = (dataclasses.replace(model.description.plan, orientation=SliceOrientation.SAGITTAL), model.description.plan)
    save_model(dataclasses.replace(model, description=dataclasses.replace(model.description, plans=plans)), model_path)
    assert main(["export", str(model_path), "--to", form, "--output", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert "see slices of different planes (sagittal, axial)" in message
    assert "use the .aide file, or train with plane_per_network=false" in message
    assert [path.name for path in tmp_path.iterdir()] == ["m.aide"]


def test_monai_loads_the_bundle_and_gets_the_same_output(model_path, tmp_path):
    bundle = pytest.importorskip("monai.bundle")
    assert main(["export", str(model_path), "--to", "monai-bundle", "--output", str(tmp_path / "liver")]) == 0
    images = torch.randn(2, 2, 50, 37)
    expected = expected_probabilities(model_path, images)
    module, metadata, _ = bundle.load(
        "liver", bundle_dir=str(tmp_path), source="local", load_ts_module=True, device="cpu"
    )
    torch.testing.assert_close(module(images), expected, rtol=1e-4, atol=1e-4)
    assert metadata["network_data_format"]["outputs"]["pred"]["channel_def"] == {"0": "background", "1": "ball"}
    parser = bundle.ConfigParser()
    parser.read_config(str(tmp_path / "liver" / "configs" / "inference.json"))
    parser["bundle_root"] = str(tmp_path / "liver")
    parser["device"] = "cpu"
    network, inferer = parser.get_parsed_content("network"), parser.get_parsed_content("inferer")
    assert inferer.roi_size == [256, 256]
    inferer.roi_size = [50, 37]
    # (z, y, x), as SimpleITK has volumes: each axial slice is (y, x), as `cut_image` gives it.
    volume = images.permute(1, 0, 2, 3)[None]
    torch.testing.assert_close(inferer(volume, network), expected.permute(1, 0, 2, 3)[None], rtol=1e-4, atol=1e-4)


def test_a_model_to_a_folder_and_back_is_the_same_file(model_path, tmp_path):
    assert main(["export", str(model_path), "--to", "folder", "--output", str(tmp_path / "parts")]) == 0
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "SHA256SUMS",
        "model.json",
        "network1.safetensors",
        "network2.safetensors",
    ]
    assert main(["export", str(tmp_path / "parts"), "--to", "aide", "--output", str(tmp_path / "back.aide")]) == 0
    first, second = load_model(model_path), load_model(tmp_path / "back.aide")
    assert first.description == second.description
    images = torch.randn(1, 2, 32, 32)
    torch.testing.assert_close(slice_ensemble(first)(images), slice_ensemble(second)(images), rtol=0, atol=0)


def test_a_folder_in_use_is_not_written_over(model_path, tmp_path):
    (tmp_path / "parts").mkdir()
    foreign = tmp_path / "parts" / "notes.txt"
    foreign.write_text("mine")
    with pytest.raises(ModelError, match="exists already and is not empty"):
        export_folder(model_path, tmp_path / "parts")
    assert foreign.read_text() == "mine"
    foreign.unlink()
    export_folder(model_path, tmp_path / "parts")


def test_a_model_is_not_written_over_by_its_export(model_path, tmp_path, capsys):
    own = tmp_path / "own.aide"
    own.write_bytes(model_path.read_bytes())
    assert main(["export", str(own), "--to", "torchscript", "--output", str(tmp_path / "x" / ".." / "own.aide")]) == 2
    assert "is the model itself" in capsys.readouterr().err
    assert own.read_bytes() == model_path.read_bytes()
    for output in (tmp_path, tmp_path / "noending"):
        assert main(["export", str(own), "--to", "torchscript", "--output", str(output)]) == 2
        assert "name a file with an ending" in capsys.readouterr().err


def test_a_folder_that_is_no_model_is_refused(tmp_path, capsys):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "model.json").write_text('{"format": "aide-model/1"}')
    assert main(["export", str(tmp_path / "parts"), "--to", "aide", "--output", str(tmp_path / "m.aide")]) == 2
    assert "no usable AIDE model" in capsys.readouterr().err
    assert not (tmp_path / "m.aide").exists()


def test_the_probabilities_of_each_network_average_to_those_of_the_model(model_path, tmp_path):
    image = sitk.GetImageFromArray(np.random.default_rng(1).normal(size=(3, 32, 32)).astype(np.float32))
    image.SetSpacing((1.5, 1.5, 4.0))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    names = [str(tmp_path / name) for name in ("a.nii.gz", "a.nii.gz")]
    outputs = ["--output", str(tmp_path / "out.seg.nrrd"), "--probabilities", str(tmp_path / "p.nii.gz")]
    assert main(["predict", str(model_path), *names, *outputs, "--each-network", "--device", "cpu"]) == 0
    mean, first, second = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"p{mark}.nii.gz")))
        for mark in ("", "_network1", "_network2")
    )
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_allclose((first + second) / 2, mean, atol=1e-5)
