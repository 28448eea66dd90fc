import json

import pytest
from case_files import write_dataset

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.errors import DatasetError


@pytest.fixture
def document(tmp_path):
    """A faultless document whose files exist, and the function that loads a changed one."""
    path = write_dataset(tmp_path, "HU")
    values = json.loads(path.read_text())

    def load():
        path.write_text(json.dumps(values))
        return load_dataset(path)

    return values, load


def message_of(load):
    with pytest.raises(DatasetError) as caught:
        load()
    return str(caught.value)


def test_a_dataset_is_what_was_written(tmp_path):
    dataset = load_dataset(write_dataset(tmp_path, "HLU", channels=2))
    assert [case.quality for case in dataset.cases] == [
        LabelQuality.HQA,
        LabelQuality.LQA,
        LabelQuality.UNLABELLED,
        LabelQuality.HQA,
    ]
    assert [case.id for case in dataset.select(Split.TEST)] == ["p3"]
    assert dataset.cases[2].label is None
    assert dataset.cases[0].patient == "p0"
    save_dataset(dataset, tmp_path / "elsewhere" / "again.json")
    assert load_dataset(tmp_path / "elsewhere" / "again.json") == dataset


def test_values_may_be_a_list_and_colour_and_patient_may_be_left_out(document):
    values, load = document
    values["structures"] = [{"name": "kidneys", "value": [126, 189]}]
    del values["cases"][0]["patient"]
    dataset = load()
    assert dataset.structures[0].values == (126, 189)
    assert dataset.cases[0].patient == "p0"


CHANGES = {
    "missing field": (lambda d: d["cases"][0].pop("label"), "Case 'p0': the field 'label' is missing."),
    "unknown field": (lambda d: d["cases"][0].update(colour=1), "Case 'p0': there is no field 'colour'."),
    "wrong kind": (lambda d: d["cases"][0].update(images="a.nii"), "Case 'p0': images must be a list, got \"a.nii\"."),
    "quality": (
        lambda d: d["cases"][0].update(quality="good"),
        'quality must be one of HQA, LQA, unlabelled, got "good"',
    ),
    "split": (lambda d: d["cases"][0].update(split=3), "Case 'p0': split must be one of train, val, test, got 3."),
    "missing image": (lambda d: d["cases"][1].update(images=["no.nii.gz"]), "Case 'p1': images names"),
    "missing label": (lambda d: d["cases"][0].update(label="no.nii.gz"), "Case 'p0': label names"),
    "channel count": (
        lambda d: d["cases"][1].update(images=[]),
        "Case 'p1': images is empty",
    ),
    "second channel": (
        lambda d: d.update(channels=["T1", "T2"]),
        "Case 'p0': images lists 1 files but the dataset has 2 channels (T1, T2)",
    ),
    "unlabelled with label": (
        lambda d: d["cases"][0].update(quality="unlabelled"),
        "Case 'p0': quality is unlabelled but a label is given",
    ),
    "label missing": (lambda d: d["cases"][0].update(label=None), "Case 'p0': quality is HQA but there is no label"),
    "patient in two splits": (
        lambda d: [case.update(patient="Jones") for case in d["cases"]],
        "Case 'p2': patient 'Jones' stands in split test here and in train with case 'p0'",
    ),
    "id twice": (lambda d: d["cases"][1].update(id="P0"), "Case 'p0' is listed twice"),
    "id as path": (lambda d: d["cases"][0].update(id="../p0"), "Case '../p0': id must be 1 to 120 characters"),
    "value twice": (
        lambda d: d.update(structures=[{"name": "a", "value": 5}, {"name": "b", "value": [5, 6]}]),
        "Label value 5 belongs to two structures",
    ),
    "value zero": (lambda d: d["structures"][0].update(value=0), "Structure 'ball': value must be one or several"),
    "value text": (lambda d: d["structures"][0].update(value="5"), "Structure 'ball': value must be a whole number"),
    "colour": (lambda d: d["structures"][0].update(color=[0, 0, 300]), "Structure 'ball': color must be red, green"),
    "format": (
        lambda d: d.update(format="aide-dataset/9"),
        "format is 'aide-dataset/9', but this version of AIDE reads",
    ),
    "no cases": (lambda d: d.update(cases=[]), "The dataset has no cases."),
    "case no object": (
        lambda d: d.update(cases=[7]),
        "Case 1 of the list: must be an object with named fields, got 7.",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_fault_is_named_with_case_and_field(document, name):
    values, load = document
    change, expected = CHANGES[name]
    change(values)
    assert expected in message_of(load)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"format": 1,\n "cases": [}', "is no valid JSON: Expecting value in line 2"),
        (b"\xff\xfe\x00", "it is no text file in UTF-8"),
        (b"[1, 2]", "it is no JSON object"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_dataset(tmp_path, content, expected):
    path = tmp_path / "dataset.json"
    path.write_bytes(content)
    assert expected in message_of(lambda: load_dataset(path))


def test_a_missing_file(tmp_path):
    assert "There is no file" in message_of(lambda: load_dataset(tmp_path / "nothing.json"))
