"""The real images, where they are there: what generated ones leave out."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from AIDELib.case_volumes import read_case
from AIDELib.commands import main
from AIDELib.dataset_file import load_dataset

TINY = [
    text
    for setting in ("network_width=4", "pretraining_epochs=1", "iterations_per_epoch=3", "slice_size=64")
    for text in ("--set", setting)
]


@pytest.fixture
def imported(real_data, tmp_path):
    """Return a function that imports a folder and returns the dataset.json."""

    def run(layout, folder, *options):
        if not (real_data / folder).is_dir():
            pytest.skip(f"{real_data / folder} is not there")
        output = tmp_path / "dataset.json"
        assert main(["import", layout, str(real_data / folder), "--output", str(output), *options]) == 0
        return output

    return run


def test_chaos_case_37_from_dicom_and_png_to_a_mask_on_the_in_phase_grid(imported, real_data, tmp_path):
    dataset_file = imported("chaos", "chaos", "--structure", "liver=63", "--hqa", "37")
    dataset = load_dataset(dataset_file)
    volumes = read_case(next(case for case in dataset.cases if case.id == "37"), dataset)
    liver_ml = np.count_nonzero(sitk.GetArrayFromImage(volumes.label)) * np.prod(volumes.label.GetSpacing()) / 1000
    # An adult's liver; upside-down or misplaced slices would keep the number, so the liver's side is looked at too.
    assert 1000 < liver_ml < 2500
    centre = np.argwhere(sitk.GetArrayFromImage(volumes.label)).mean(axis=0)[::-1]
    image_centre = (np.array(volumes.label.GetSize()) - 1) / 2
    liver, middle = (
        np.array(volumes.label.TransformContinuousIndexToPhysicalPoint(point.tolist()))
        for point in (centre, image_centre)
    )
    assert liver[0] < middle[0] - 20, "the liver lies on the patient's right"
    document = json.loads(dataset_file.read_text())
    document["cases"] = [case for case in document["cases"] if case["id"] == "37"]
    dataset_file.write_text(json.dumps(document))
    run, mask_file = tmp_path / "run", tmp_path / "liver.nii.gz"
    assert main(["train", str(dataset_file), "--run", str(run), "--preset", "quick", "--epochs", "1", *TINY]) == 0
    images = [str(path) for path in dataset.cases[0].images]
    assert main(["predict", str(run), *images, "--output", str(mask_file)]) == 0
    mask = sitk.ReadImage(str(mask_file))
    assert mask.GetSize() == volumes.channels[0].GetSize()
    np.testing.assert_allclose(mask.GetOrigin(), volumes.channels[0].GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(mask.GetDirection(), volumes.channels[0].GetDirection(), atol=1e-5)


def test_acdc_three_structures_in_one_model_and_three_rows_a_case(imported, tmp_path):
    dataset_file = imported(
        "folder", "acdc", "--structure", "RV=1", "--structure", "myocardium=2", "--structure", "LV=3",
        "--test", "1", "--hqa", "1", "--unlabelled", "1",
    )  # fmt: skip
    run, report = tmp_path / "run", tmp_path / "report"
    assert main(["train", str(dataset_file), "--run", str(run), "--preset", "quick", "--epochs", "1", *TINY]) == 0
    assert main(["evaluate", str(dataset_file), "--model", str(run), "--output", str(report)]) == 0
    rows = [line.split(",") for line in (report / "metrics.csv").read_text().splitlines()[1:]]
    assert [row[1] for row in rows] == ["RV", "myocardium", "LV"]
    assert len({row[0] for row in rows}) == 1


def test_qubiq_scores_several_raters(imported, tmp_path):
    dataset_file = imported("qubiq", "qubiq_kidney", "--test", "1", "--rater", "2")
    run, report = tmp_path / "run", tmp_path / "report"
    method = ["--method", "supervised", "--preset", "quick", "--epochs", "1"]
    assert main(["train", str(dataset_file), "--run", str(run), *method, *TINY]) == 0
    assert main(["evaluate", str(dataset_file), "--model", str(run), "--output", str(report)]) == 0
    scores = json.loads((report / "metrics.json").read_text())
    assert 0 <= next(iter(scores["QUBIQ score"].values())) <= 1


def test_hippocampus_folder_discovers_its_two_labels(imported):
    dataset = load_dataset(imported("folder", "hippocampus", "--test", "2"))
    assert [(structure.name, structure.values) for structure in dataset.structures] == [
        ("label 1", (1,)),
        ("label 2", (2,)),
    ]
