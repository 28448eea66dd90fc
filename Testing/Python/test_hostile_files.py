"""Files of strangers: nothing in them is run, believed, or leads out of a folder; nothing private is in ours."""

import ast
import getpass
import json
import os
import platform
import re
import struct
import subprocess
import sys
import zipfile
from contextlib import suppress

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL, REPOSITORY, write_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_model import AXIAL, SAGITTAL, make_model
from test_training_run import run_training

from AIDELib.dataset_file import load_dataset
from AIDELib.errors import AIDEError, ModelError, VolumeError
from AIDELib.image_header import read_image_header
from AIDELib.model import load_model, save_model
from AIDELib.volume import read_grid, read_image
from Testing.fuzz_inputs import write_dicom_series

UNSAFE = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


def test_spoilt_files_of_every_kind_are_accepted_or_refused_with_a_sentence():
    # In a process of its own: one that has computed with several threads cannot be copied safely.
    command = [sys.executable, "-m", "Testing.fuzz", "--count", "300", "--seed", "11"]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    counts = re.search(r"300 inputs: (\d+) accepted, (\d+) refused, 0 crashed", result.stdout)
    assert counts is not None, result.stdout
    accepted, refused = map(int, counts.groups())
    assert accepted + refused == 300
    assert accepted > 20
    assert refused > 100


def test_no_code_reads_or_writes_pickles_or_runs_text():
    for path in sorted((REPOSITORY / "AIDELib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").split(".")[0]]
            assert not UNSAFE & set(names), path
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "compile", "torch.load", "torch.save", "np.load", "numpy.load"), (
                    path
                )


@pytest.fixture(scope="module")
def model_bytes(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.aide"
    save_model(make_model(), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "SHA256SUMS"}


def refusal(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError) as caught:
        load_model(path)
    return str(caught.value)


def test_a_bomb_of_zeros_is_not_unpacked(tmp_path, model_bytes):
    content = model_bytes | {"network1.safetensors": bytes(50_000_000)}
    assert "header claims 0 bytes" in refusal(tmp_path / "m.aide", content, zipfile.ZIP_DEFLATED)


def test_a_header_that_claims_terabytes(tmp_path, model_bytes):
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(64)
    assert "the tensors claim 4398046511104 bytes of 64" in refusal(
        tmp_path / "m.aide", model_bytes | {"network1.safetensors": data}
    )
    assert "header claims" in refusal(tmp_path / "m.aide", model_bytes | {"network2.safetensors": b"\xff" * 8 + data})


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/cron.d/evil", "a/../../b.json", "data.pkl", "code.py", "x\\y.json"]
)
def test_a_file_that_has_no_place_in_a_model(tmp_path, model_bytes, name):
    assert "has no place there" in refusal(tmp_path / "m.aide", model_bytes | {name: b"x"})
    assert [path.name for path in tmp_path.iterdir()] == ["m.aide"]


def test_the_version_is_looked_at_before_any_tensor(tmp_path, model_bytes):
    document = json.loads(model_bytes["model.json"]) | {"format": "aide-model/3"}
    content = {"model.json": json.dumps(document), "network1.safetensors": b"not looked at"}
    assert "has the format 'aide-model/3'" in refusal(tmp_path / "m.aide", content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": {"name": "multi-stream-unet", "width": 10**9, "count": 1}}, "network width 1000000000"),
        ({"network": {"name": "multi-stream-unet", "width": 2, "count": 10**6}}, "number of networks 1000000"),
        ({"channels": [{"name": f"c{i}", "normalization": "slice"} for i in range(33)]}, "33 channels; at most 32"),
        ({"training": {"code": "import os"}}, "no 'code'"),
        ({"structures": []}, "no structure"),
    ],
)
def test_claims_without_measure(tmp_path, model_bytes, change, words):
    document = json.loads(model_bytes["model.json"]) | change
    assert words in refusal(tmp_path / "m.aide", model_bytes | {"model.json": json.dumps(document)})


def test_names_cannot_steer_a_terminal(tmp_path, model_bytes):
    document = json.loads(model_bytes["model.json"])
    document["structures"][0]["name"] = "liver\x1b[2J"
    message = refusal(tmp_path / "m.aide", model_bytes | {"model.json": json.dumps(document)})
    assert "in one line" in message
    assert "\x1b" not in message


def test_weights_that_are_no_numbers(tmp_path):
    model = make_model()
    model.weights[0]["classifier.bias"][0] = torch.nan
    save_model(model, tmp_path / "m.aide")
    with pytest.raises(ModelError, match=r"'classifier\.bias' are no finite numbers"):
        load_model(tmp_path / "m.aide")


def test_images_that_claim_more_than_they_have(tmp_path):
    path = tmp_path / "a.nii"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4), np.int16)), str(path))
    data = bytearray(path.read_bytes())
    data[42:48] = struct.pack("<3h", 30000, 30000, 30000)
    path.write_bytes(bytes(data))
    with pytest.raises(VolumeError, match=r"claims to hold 30000 x 30000 x 30000 voxels, which is 49\.1 TB"):
        read_image(path)


def test_a_bomb_of_an_image_is_refused_where_the_memory_is_not_enough(tmp_path, monkeypatch):
    path = tmp_path / "a.nii.gz"
    sitk.WriteImage(sitk.Image([512, 512, 64], sitk.sitkUInt8), str(path), useCompression=True)
    assert read_image_header(path).size == (512, 512, 64)
    monkeypatch.setattr("AIDELib.image_header.available_memory", lambda: 50 * 2**20)
    with pytest.raises(VolumeError, match=r"take 144\.0 MB of memory; 50\.0 MB are available"):
        read_image(path)


META = "ObjectType = Image\nNDims = 3\nDimSize = 2 3 4\nElementType = MET_UCHAR\n"
NRRD = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n"
HEADERS = {
    "a.mhd": META + "ElementDataFile = ",
    "a.mha": META + "ElementDataFile = ",
    "b.mha": META + "ElementDataFile : ",
    "c.mha": META + "Comment = ElementDataFile = LOCAL\nElementDataFile = ",
    "a.nhdr": NRRD + "data file: ",
    "a.nrrd": NRRD + "data file: ",
    "a.seg.nrrd": NRRD + "content: x\ndatafile: ",
    "b.nrrd": NRRD.replace("\n", "\r\n") + "data file: ",
    "c.nrrd": NRRD + "# a comment\n" * 90_000 + "data file: ",
}


@pytest.fixture
def data_folder(tmp_path):
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    for path in (tmp_path / "outside.raw", *(folder / name for name in ("sub/a.raw", "a.raw", "LIST", "%s%n", "%d"))):
        path.write_bytes(bytes(range(24)))
    return folder


@pytest.mark.parametrize("file", HEADERS)
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../outside.raw", "LIST", "sub/a.raw", "%s%n", "%d 1 1 1", "missing.raw", "x" * 300]
)
def test_headers_that_take_voxels_from_elsewhere(data_folder, name, file):
    (data_folder / file).write_bytes(f"{HEADERS[file]}{name}\n".encode())
    with pytest.raises(VolumeError, match=r"they must be in one file beside it|has a header of more than 1\.0 MB"):
        read_image(data_folder / file)
    with pytest.raises(VolumeError):
        read_grid(data_folder / file)


@pytest.mark.parametrize("file", ["a.mhd", "a.nhdr", "a.nrrd", "b.nrrd"])
def test_headers_that_take_voxels_from_the_file_beside(data_folder, file):
    (data_folder / file).write_bytes(f"{HEADERS[file]}a.raw\n".encode())
    assert sitk.GetArrayFromImage(read_image(data_folder / file)).ravel().tolist() == list(range(24))


def test_a_pipe_in_the_place_of_an_image(tmp_path):
    os.mkfifo(tmp_path / "a.nrrd")
    with pytest.raises(VolumeError, match="is no file"):
        read_image(tmp_path / "a.nrrd")


def test_a_dicom_image_with_two_colours(tmp_path):
    write_dicom_series(sitk.Image([8, 8, 3], sitk.sitkInt16), tmp_path / "series")
    path = tmp_path / "series" / "slice001.dcm"
    file = pydicom.dcmread(path)
    file.SamplesPerPixel = 2
    file.save_as(path)
    with pytest.raises(VolumeError, match=r"series holds a DICOM file that cannot be read .* damaged\?"):
        read_image(tmp_path / "series")


def test_a_dicom_element_that_claims_gigabytes(tmp_path):
    write_dicom_series(sitk.Image([8, 8, 3], sitk.sitkInt16), tmp_path / "series")
    path = tmp_path / "series" / "slice001.dcm"
    data = path.read_bytes()
    position = data.index(b"\x10\x00\x10\x00") + 4  # the length of the patient's name
    path.write_bytes(data[:position] + struct.pack("<L", 0xF0000000) + data[position + 4 :])
    with pytest.raises(VolumeError, match=r"slice001.dcm is a damaged DICOM file .*claims 4,026,531,840 bytes"):
        read_image(tmp_path / "series")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plans=st.sampled_from([(AXIAL,), (SAGITTAL, AXIAL)]),
    part=st.sampled_from(["format", "channels", "structures", "slices", "network", "training", "largest_component"]),
    value=VALUES,
)
def test_any_value_in_a_models_description(tmp_path, model_bytes, plans, part, value):
    document = make_model(plans=plans).description.to_json() | {part: value}
    path = tmp_path / "m.aide"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (model_bytes | {"model.json": json.dumps(document)}).items():
            archive.writestr(name, data)
    with suppress(ModelError):
        load_model(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    field=st.sampled_from(["id", "patient", "images", "label", "quality", "split", "domain", "raters", "more"]),
    value=VALUES,
)
def test_any_value_in_a_case_of_a_dataset(tmp_path, field, value):
    path = tmp_path / "dataset.json"
    case = {"id": "a", "images": ["dataset.json"], "label": None, "quality": "unlabelled", "split": "train"} | {
        field: value
    }
    document = {
        "format": "aide-dataset/1",
        "channels": ["T1"],
        "structures": [{"name": "x", "value": 1}],
        "cases": [case],
    }
    path.write_text(json.dumps(document))
    with suppress(AIDEError):
        load_dataset(path)


def test_a_model_says_nothing_of_whom_it_was_trained_on(tmp_path, tiny_settings):
    hospital = tmp_path / "St-Elsewhere"
    hospital.mkdir()
    dataset = write_dataset(hospital, "HL")
    document = json.loads(dataset.read_text())
    for index, case in enumerate(document["cases"]):
        series = hospital / f"series{index}"
        write_dicom_series(
            sitk.Cast(sitk.ReadImage(str(hospital / f"p{index}_0.nii.gz")) * 100, sitk.sitkInt16), series
        )
        case |= {"id": f"Doe^Jane{index}".replace("^", "-"), "patient": f"MRN-{index}4711", "images": [series.name]}
        case |= {"domain": "Scanner-Basement"}
    dataset.write_text(json.dumps(document))
    run = run_training(dataset, tmp_path / "run", tiny_settings.replace(epochs=1))
    private = ["Doe", "Jane", "MRN", "4711", "Elsewhere", "Scanner-Basement", "SECRET", "Secret", "1.2.826.0.1.3680043"]
    private += [str(tmp_path), "series0", "p0_0", getpass.getuser(), platform.node()]
    with zipfile.ZipFile(run.model_file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()} | {
            "names": "".join(archive.namelist()).encode()
        }
        content["comment"] = archive.comment + b"".join(info.extra + info.comment for info in archive.infolist())
    for name, data in content.items():
        if name.endswith(".safetensors"):  # weights are numbers; only their header is text
            data = data[: 8 + int.from_bytes(data[:8], "little")]
        for word in private:
            assert not re.search(re.escape(word.encode()), data, re.IGNORECASE), (name, word)
    assert BALL.name.encode() in content["model.json"]
