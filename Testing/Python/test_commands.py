import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import REPOSITORY, make_image, write_dataset

from AIDELib.commands import COMMAND_NAMES, main
from AIDELib.errors import describe_os_error

TINY = [
    text
    for setting in (
        "network_width=2",
        "pretraining_epochs=1",
        "iterations_per_epoch=3",
        "batch_size=4",
        "correction_first_epoch=1",
    )
    for text in ("--set", setting)
]


def call(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a dataset of two channels, and a finished run."""
    folder = tmp_path_factory.mktemp("trained")
    dataset = write_dataset(folder, "HLU", channels=2, test_cases=2)
    code = main(
        [
            "train",
            str(dataset),
            "--run",
            str(folder / "run"),
            "--preset",
            "quick",
            "--epochs",
            "2",
            "--seed",
            "3",
            *TINY,
        ]
    )
    assert code == 0
    return folder


def images_of(folder, case):
    return [folder / f"{case}_0.nii.gz", folder / f"{case}_1.nii.gz"]


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_help_explains_every_command_with_an_example(capsys, name):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])
    assert caught.value.code == 0
    assert f"python -m AIDELib {name}" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_settings_are_listed_without_a_run(capsys):
    code, printed, _ = call(capsys, "train", "--settings", "--preset", "quick", "--set", "batch_size=3")
    assert code == 0
    assert "batch_size = 3\n" in printed


def test_training_without_a_run_folder(capsys):
    assert call(capsys, "train", "dataset.json") == (
        2,
        "",
        "Error: Name the folder that the run is written into with --run.\n",
    )


def test_the_module_runs_from_a_shell():
    result = subprocess.run(
        [sys.executable, "-m", "AIDELib", "check", "missing.json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("Error: ")
    assert "missing.json" in result.stderr
    assert "Traceback" not in result.stderr


def test_check_describes_every_case(tmp_path, capsys):
    code, out, _ = call(capsys, "check", write_dataset(tmp_path, "HU"))
    assert code == 0
    assert re.search(r"p0 +train +HQA +18x22x4 +1x1x4 +0\.\d+", out)
    assert "1 HQA, 1 unlabelled: semi-supervised learning" in out


def test_check_names_structures_that_no_training_label_holds(tmp_path, capsys):
    dataset = write_dataset(tmp_path, "HU")
    assert "No training label" not in call(capsys, "check", dataset)[1]
    document = json.loads(dataset.read_text())
    document["structures"].append({"name": "ghost", "value": 77})
    dataset.write_text(json.dumps(document))
    _code, out, err = call(capsys, "check", dataset)
    assert "! No training label holds the structure 'ghost'" in out, err


def test_check_names_all_faults_at_once(tmp_path, capsys):
    dataset = write_dataset(tmp_path, "HLU")
    (tmp_path / "p0_0.nii.gz").write_bytes(b"x")
    sitk.WriteImage(make_image(np.full((4, 22, 18), 9, np.uint8), (1.0, 1.0, 4.0)), str(tmp_path / "p1_label.nii.gz"))
    code, _, err = call(capsys, "check", dataset)
    assert code == 2
    assert "2 of 4 cases cannot be used" in err
    assert "Case 'p0'" in err
    assert "Case 'p1'" in err
    assert "9" in err


def test_train_tells_what_it_does_and_where_the_model_is(tmp_path, capsys):
    dataset = write_dataset(tmp_path, "HU")
    code, out, err = call(capsys, "train", dataset, "--run", tmp_path / "r", "--preset", "quick", "--epochs", 1, *TINY)
    assert code == 0
    assert "1 HQA, 1 unlabelled: semi-supervised learning" in err
    assert "training epoch 1 of 1: loss" in err
    assert str(tmp_path / "r" / "model.aide") in out
    assert json.loads((tmp_path / "r" / "run.json").read_text())["settings"]["epochs"] == 1


def test_train_tells_that_it_is_longer_where_nothing_is_labelled_first(tmp_path, capsys):
    dataset = write_dataset(tmp_path, "HL")
    code, _, err = call(capsys, "train", dataset, "--run", tmp_path / "r", "--preset", "quick", "--epochs", 1, *TINY)
    assert code == 0
    assert "Nothing has to be labelled first: 1 epoch(s) more take the place of a pretraining." in err
    assert "training epoch 2 of 2: loss" in err


def test_train_resumes_a_finished_run_without_harm(trained, capsys):
    before = (trained / "run" / "model.aide").read_bytes()
    assert call(capsys, "train", "--run", trained / "run", "--resume")[0] == 0
    assert (trained / "run" / "model.aide").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--run", "{folder}/new"], "Name the dataset.json to train on"),
        (["{folder}/dataset.json", "--run", "{folder}/run"], "already holds a run"),
        (["--run", "{folder}/new", "--resume"], "holds no run"),
        (["{folder}/dataset.json", "--run", "{folder}/new", "--set", "epoch=1"], "no setting 'epoch'"),
        (["{folder}/dataset.json", "--run", "{folder}/new", "--device", "cuda"], "cuda"),
        (["{folder}/dataset.json", "--run", "{folder}/new", "--task", "uda", "--epochs", "0"], "epochs must be"),
    ],
)
def test_train_with_faulty_input(trained, capsys, arguments, expected):
    if "cuda" in arguments and __import__("torch").cuda.is_available():
        pytest.skip("this machine has a GPU")
    code, _, err = call(capsys, "train", *(text.format(folder=trained) for text in arguments))
    assert code == 2
    assert expected in err
    assert not (trained / "new").exists()


def test_settings_are_listed_with_their_meaning(capsys, tmp_path):
    code, out, _ = call(capsys, "train", "--run", tmp_path, "--preset", "paper", "--settings")
    assert code == 0
    assert "consistency_weight = 10.0\n    weight of the consistency loss" in out


def test_predict_writes_a_segmentation_with_names_on_the_first_images_grid(trained, tmp_path, capsys):
    output, probabilities = tmp_path / "a.seg.nrrd", tmp_path / "p.nii.gz"
    code, *_ = call(
        capsys,
        "predict",
        trained / "run",
        *images_of(trained, "p3"),
        "--output",
        output,
        "--probabilities",
        probabilities,
    )
    assert code == 0
    image, mask, probability = (sitk.ReadImage(str(path)) for path in (trained / "p3_0.nii.gz", output, probabilities))
    for result in (mask, probability):
        assert (result.GetSize(), result.GetSpacing(), result.GetOrigin(), result.GetDirection()) == (
            image.GetSize(),
            image.GetSpacing(),
            image.GetOrigin(),
            image.GetDirection(),
        )
    assert mask.GetMetaData("Segment0_Name") == "ball"
    values = sitk.GetArrayFromImage(probability)
    assert 0 <= values.min() < values.max() <= 1


def test_predict_writes_a_label_volume_with_the_dataset_s_value(trained, tmp_path, capsys):
    output = tmp_path / "a.nii.gz"
    call(capsys, "predict", trained / "run" / "model.aide", *images_of(trained, "p3"), "--output", output)
    assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(str(output))))) <= {0, 5}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{folder}/none.aide", "{folder}/p3_0.nii.gz", "--output", "{out}/a.nrrd"], "no model file"),
        (["{folder}/dataset.json", "{folder}/p3_0.nii.gz", "--output", "{out}/a.nrrd"], "no usable AIDE model"),
        (
            ["{folder}/run", "{folder}/p3_0.nii.gz", "--output", "{out}/a.nrrd"],
            "1 image(s) given, but 2 are needed, in this order: channel 0, channel 1",
        ),
        (["{folder}/run", "{folder}/x.nii.gz", "{folder}/p3_1.nii.gz", "--output", "{out}/a.nrrd"], "x.nii.gz"),
        (["{folder}/run", "{folder}/p3_0.nii.gz", "{folder}/p3_1.nii.gz", "--output", "{out}/a.txt"], "a.txt"),
        (
            [
                *("{folder}/run", "{folder}/p3_0.nii.gz", "{folder}/p3_1.nii.gz"),
                *("--output", "{out}/a.nrrd", "--probabilities", "{out}/a.nrrd"),
            ],
            "a.nrrd would be written over: it is the file of two results",
        ),
        (
            [
                *("{folder}/run", "{folder}/p3_0.nii.gz", "{folder}/p3_1.nii.gz"),
                *("--output", "{out}/a_network2.nrrd", "--probabilities", "{out}/a.nrrd", "--each-network"),
            ],
            "a_network2.nrrd would be written over",
        ),
    ],
)
def test_predict_with_faulty_input(trained, tmp_path, capsys, arguments, expected):
    code, _, err = call(capsys, "predict", *(text.format(folder=trained, out=tmp_path) for text in arguments))
    assert code == 2
    assert expected in err
    assert not list(tmp_path.iterdir())


def test_predict_does_not_write_over_the_scan_however_it_is_spelled(trained, tmp_path, capsys):
    scan = tmp_path / "scan.nii.gz"
    first, second = images_of(trained, "p3")
    shutil.copy(first, scan)
    (tmp_path / "sub").mkdir()
    before = scan.read_bytes()
    output = str(tmp_path / "sub" / ".." / "scan.nii.gz")
    assert main(["predict", str(trained / "run"), str(scan), str(second), "--output", output]) == 2
    assert "is one of the images" in capsys.readouterr().err
    assert scan.read_bytes() == before


def test_evaluate_writes_a_report_and_compare_reads_two(trained, tmp_path, capsys):
    report = tmp_path / "report"
    code, out, _ = call(capsys, "evaluate", trained / "dataset.json", "--model", trained / "run", "--output", report)
    assert code == 0
    lines = (report / "metrics.csv").read_text().splitlines()
    assert lines[0] == "case,structure,DSC,RAVD,ASSD,MSSD"
    assert [line.split(",")[:2] for line in lines[1:]] == [["p3", "ball"], ["p4", "ball"]]
    assert "Mean DSC" in out
    for name in ("metrics.json", "boxplot.png", "overlays/p3.png", "overlays/p4.png", "masks/p3.seg.nrrd"):
        assert (report / name).stat().st_size > 0
    code, out, _ = call(capsys, "compare", report, report)
    assert code == 0
    assert re.search(r"ball +DSC +2 .* 0\.0000", out)


def test_evaluate_with_a_model_of_other_structures(trained, tmp_path, capsys):
    document = json.loads((trained / "dataset.json").read_text())
    document["structures"][0]["name"] = "cube"
    path = trained / "other.json"
    path.write_text(json.dumps(document))
    code, _, err = call(capsys, "evaluate", path, "--model", trained / "run", "--output", tmp_path / "report")
    assert code == 2
    assert "cube" in err
    assert "ball" in err


def test_compare_of_folders_without_reports(tmp_path, capsys):
    code, _, err = call(capsys, "compare", tmp_path, tmp_path)
    assert code == 2
    assert "metrics.csv" in err


def write_mask(path, box):
    array = np.zeros((6, 8, 8), np.uint8)
    array[box] = 1
    sitk.WriteImage(make_image(array, (2.0, 1.0, 3.0)), str(path))
    return path


def test_measure_prints_the_metrics_and_json(tmp_path, capsys):
    first = write_mask(tmp_path / "a.nrrd", np.s_[2:4, 2:6, 2:6])
    second = write_mask(tmp_path / "b.nrrd", np.s_[2:4, 2:6, 3:7])
    code, out, _ = call(capsys, "measure", first, second, "--json")
    assert code == 0
    row = json.loads(out)["1"]
    assert row["DSC"] == pytest.approx(0.75)
    assert row["RAVD"] == 0
    assert row["MSSD"] == pytest.approx(2.0)
    code, out, _ = call(capsys, "measure", first, second)
    assert "0.75" in out


def write_segments(path, layers, segments):
    """Write a segmentation of layers (Z, Y, X); segments are (name, label value, layer)."""
    image = sitk.GetImageFromArray(np.stack(layers, axis=-1).astype(np.uint8), isVector=True)
    for index, (name, value, layer) in enumerate(segments):
        image.SetMetaData(f"Segment{index}_Name", name)
        image.SetMetaData(f"Segment{index}_LabelValue", str(value))
        image.SetMetaData(f"Segment{index}_Layer", str(layer))
    sitk.WriteImage(image, str(path))
    return path


def dsc_of(capsys, *files) -> dict[str, float]:
    code, out, _ = call(capsys, "measure", *files, "--json")
    assert code == 0
    return {name: row["DSC"] for name, row in json.loads(out).items()}


def test_measure_matches_by_name_only_where_both_files_have_names(tmp_path, capsys):
    values = np.zeros((2, 4, 4), np.uint8)
    values[0], values[1] = 1, 3
    volume = tmp_path / "truth.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(values), str(volume))
    mask = write_segments(tmp_path / "mask.seg.nrrd", [values, values], [("liver", 3, 0), ("tumour", 1, 0)])
    other = write_segments(tmp_path / "other.seg.nrrd", [4 - values, values], [("liver", 1, 0), ("tumour", 1, 1)])
    assert dsc_of(capsys, mask, volume) == dsc_of(capsys, volume, mask) == {"1": 1.0, "3": 1.0}
    assert dsc_of(capsys, mask, other) == {"liver": 1.0, "tumour": 1.0}
    code, _, err = call(capsys, "measure", other, volume)
    assert code == 2
    assert "the segments 'liver' and 'tumour' both have the label value 1" in err


def test_measure_of_masks_that_lie_apart(tmp_path, capsys):
    first = write_mask(tmp_path / "a.nrrd", np.s_[2:4, 2:6, 2:6])
    second = tmp_path / "b.nrrd"
    image = sitk.ReadImage(str(first))
    image.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(image, str(second))
    code, _, err = call(capsys, "measure", first, second)
    assert code == 2
    assert str(second) in err


def test_review_lists_the_training_cases(trained, capsys):
    code, out, _ = call(capsys, "review", trained / "run")
    assert code == 0
    assert {line.split()[0] for line in out.splitlines()[1:4]} == {"p0", "p1", "p2"}


def test_review_of_a_folder_without_a_run(tmp_path, capsys):
    code, _, err = call(capsys, "review", tmp_path)
    assert code == 2
    assert "holds no run" in err


def test_benchmark_splits_the_time_and_names_the_floor(capsys):
    code, out, _ = call(
        capsys, "benchmark", "--set", "network_width=4", "--size", 32, "--iterations", 1, "--device", "cpu"
    )
    assert code == 0
    for part in ("augmentation", "pseudo-label", "forward", "backward", "Label pass", "Peak memory", "slices/s"):
        assert part.lower() in out.lower()
    assert float(re.search(r"Ratio to the floor +([\d.]+)", out)[1]) > 0


def test_import_does_not_write_over_the_document_of_another_program(tmp_path, capsys):
    write_dataset(tmp_path, "HH")
    output = tmp_path / "dataset.json"
    output.write_text('{"channel_names": {"0": "T1"}}')
    assert main(["import", "folder", str(tmp_path), "--output", str(output)]) == 2
    assert "is there already and no dataset of AIDE" in capsys.readouterr().err
    assert output.read_text() == '{"channel_names": {"0": "T1"}}'


def test_a_run_does_not_write_over_a_dataset_file(tmp_path, capsys):
    dataset_file = write_dataset(tmp_path, "HH")
    before = dataset_file.read_text()
    assert main(["train", str(dataset_file), "--run", str(tmp_path), "--preset", "quick"]) == 2
    assert "would be written over" in capsys.readouterr().err
    assert dataset_file.read_text() == before


def test_a_path_that_the_system_refuses_is_told_in_a_sentence(tmp_path, capsys):
    long = tmp_path / ("x" * 300)
    assert main(["review", str(long)]) == 2
    assert main(["export", str(long), "--to", "folder", "--output", str(tmp_path / "f")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("Error: ") for line in lines)


def test_a_refusal_of_the_system_names_the_file_where_it_is_known():
    assert describe_os_error(OSError(13, "Permission denied", "a.nrrd")) == "a.nrrd cannot be used: Permission denied."
    assert describe_os_error(OSError(28, "No space left")) == "The system refuses: No space left."
