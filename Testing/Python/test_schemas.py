"""The published schemas and the validators, which name case and field, must say the same."""

import json
import random
from pathlib import Path

import jsonschema
import pytest
from case_files import REPOSITORY, write_dataset
from test_model import AXIAL, SAGITTAL, make_model

from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError, ModelError
from AIDELib.model_description import parse_model_document
from Testing.fuzz_inputs import spoil_json


def schema(name):
    content = json.loads((REPOSITORY / "AIDELib" / "schemas" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.fixture
def dataset_file(tmp_path):
    return write_dataset(tmp_path, "HLU", 2)


def loads(path, document):
    path.write_text(json.dumps(document))
    try:
        load_dataset(path)
    except DatasetError:
        return False
    return True


def parses(document):
    try:
        parse_model_document(document, Path("m.aide"))
    except ModelError:
        return False
    return True


def test_a_dataset_that_is_accepted_fits_the_schema(dataset_file):
    validator = schema("dataset")
    good = dataset_file.read_bytes()
    assert validator.is_valid(json.loads(good))
    outcomes = []
    for seed in range(400):
        document = json.loads(spoil_json(good, random.Random(seed)))
        fits, is_accepted = validator.is_valid(document), loads(dataset_file, document)
        # The validator also looks at files, unique names and patients, of which a schema knows nothing.
        assert fits or not is_accepted, document
        outcomes.append((fits, is_accepted))
    assert {(True, True), (False, False)} <= set(outcomes)


@pytest.mark.parametrize("plans", [(AXIAL,), (SAGITTAL, AXIAL)])
def test_a_model_that_is_accepted_fits_the_schema(plans):
    validator = schema("model")
    good = json.dumps(make_model(plans=plans).description.to_json()).encode()
    assert validator.is_valid(json.loads(good))
    outcomes = []
    for seed in range(600):
        document = json.loads(spoil_json(good, random.Random(seed)))
        if not isinstance(document, dict):
            continue
        fits, is_accepted = validator.is_valid(document), parses(document)
        assert fits or not is_accepted, document
        outcomes.append((fits, is_accepted))
    assert {(True, True), (False, False)} <= set(outcomes)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("channels"),
        lambda document: document.update(more=1),
        lambda document: document.update(cases=[]),
        lambda document: document.update(channels=[1, 2]),
        lambda document: document["cases"][0].update(quality="good"),
        lambda document: document["cases"][0].update(split="training"),
        lambda document: document["cases"][0].update(label=None),
        lambda document: document["cases"][2].update(label="p0_label.nii.gz"),
        lambda document: document["cases"][0].update(images="p0_0.nii.gz"),
        lambda document: document["structures"][0].update(value=0),
        lambda document: document["structures"][0].update(value=2**31),
        lambda document: document["structures"][0].update(value=[]),
        lambda document: document["structures"][0].update(color=[1, 2]),
        lambda document: document["structures"][0].update(color=[1, 2, 256]),
        lambda document: document["structures"][0].update(terminology="a|b"),
        lambda document: document["structures"][0].update(name=""),
    ],
)
def test_both_refuse_what_breaks_the_form_of_a_dataset(dataset_file, change):
    document = json.loads(dataset_file.read_text())
    change(document)
    assert not schema("dataset").is_valid(document)
    assert not loads(dataset_file, document)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("slices"),
        lambda document: document["channels"].clear(),
        lambda document: document["channels"][0].update(normalization="none"),
        lambda document: document["structures"].clear(),
        lambda document: document["structures"][0].update(value=5),
        lambda document: document["structures"][0].update(color=["1", 2, 3]),
        lambda document: document["slices"].update(spacing=[1]),
        lambda document: document["slices"].update(spacing=[0, 1]),
        lambda document: document["slices"].update(spacing=["1", 1]),
        lambda document: document["slices"].update(orientation="oblique"),
        lambda document: document["network"].update(width=513),
        lambda document: document["network"].update(count=True),
        lambda document: document.update(largest_component=1),
        lambda document: document.update(training={"more": 1}),
        lambda document: document.update(training={"epoch": "3"}),
        lambda document: document.update(training={"score": {"kind": "x", "value": "0.5"}}),
    ],
)
def test_both_refuse_what_breaks_the_form_of_a_model(change):
    document = make_model().description.to_json()
    change(document)
    assert not schema("model").is_valid(document)
    assert not parses(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(format="aide-model/1"),
        lambda document: document.update(slices=document["slices"][0]),
        lambda document: document["slices"].clear(),
        lambda document: document.update(slices=document["slices"] * 9),
        lambda document: document["slices"][1].pop("orientation"),
        lambda document: document["slices"][1].update(spacing=[0, 1]),
    ],
)
def test_both_refuse_what_breaks_the_form_of_a_model_of_two_planes(change):
    document = make_model(plans=(SAGITTAL, AXIAL)).description.to_json()
    change(document)
    assert not schema("model").is_valid(document)
    assert not parses(document)
