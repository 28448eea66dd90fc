import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import BALL, make_image

from AIDELib.case import LabelQuality, Split
from AIDELib.commands import main
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError
from AIDELib.prediction_files import write_labels
from AIDELib.readers import LAYOUTS
from AIDELib.readers.folder import find_cases
from AIDELib.readers.found_cases import FoundCase, FoundCases, named_structures
from AIDELib.readers.image_names import images_in
from AIDELib.readers.selection import Selection, select_cases
from AIDELib.segmentation_file import write_segmentation


def write(path: Path, values=(0, 1)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros((2, 4, 4), np.int16)
    array.flat[: len(values)] = values
    sitk.WriteImage(make_image(array), str(path))
    return path


def write_json(path: Path, document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def read(layout: str, source: Path):
    return LAYOUTS[layout].read(source)


def relative(found, source: Path) -> dict:
    return {
        case.id: (
            [path.relative_to(source).as_posix() for path in case.images],
            [path.relative_to(source).as_posix() for path in case.labels],
        )
        for case in found.cases
    }


def test_decathlon(tmp_path):
    write_json(
        tmp_path / "dataset.json",
        {"modality": {"0": "T2", "1": "ADC"}, "labels": {"0": "background", "1": "PZ", "2": "TZ"}},
    )
    for name in ("imagesTr/p_00", "labelsTr/p_00", "imagesTs/p_01"):
        write(tmp_path / f"{name}.nii.gz")
    (tmp_path / "imagesTr/._p_00.nii.gz").write_bytes(b"left behind by macOS")
    found = read("decathlon", tmp_path)
    assert found.channels == ("T2", "ADC")
    assert [(structure.name, structure.values) for structure in found.structures] == [("PZ", (1,)), ("TZ", (2,))]
    assert relative(found, tmp_path) == {
        "p_00": (["imagesTr/p_00.nii.gz#0", "imagesTr/p_00.nii.gz#1"], ["labelsTr/p_00.nii.gz"]),
        "p_01": (["imagesTs/p_01.nii.gz#0", "imagesTs/p_01.nii.gz#1"], []),
    }


@pytest.mark.parametrize(
    "description",
    [
        {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}},
        {"modality": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "whole": [1, 2], "core": 2}},
    ],
    ids=["version 2", "version 1"],
)
def test_nnunet(tmp_path, description):
    write_json(tmp_path / "dataset.json", description)
    for name in ("imagesTr/a_0000", "imagesTr/a_0001", "labelsTr/a", "imagesTs/b_0000", "imagesTs/b_0001"):
        write(tmp_path / f"{name}.nrrd")
    found = read("nnunet", tmp_path)
    assert [(structure.name, structure.values) for structure in found.structures] == [("whole", (1, 2)), ("core", (2,))]
    assert relative(found, tmp_path) == {
        "a": (["imagesTr/a_0000.nrrd", "imagesTr/a_0001.nrrd"], ["labelsTr/a.nrrd"]),
        "b": (["imagesTs/b_0000.nrrd", "imagesTs/b_0001.nrrd"], []),
    }


def test_nnunet_case_without_a_channel(tmp_path):
    write_json(tmp_path / "dataset.json", {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"x": 1}})
    write(tmp_path / "imagesTr/a_0000.nrrd")
    with pytest.raises(DatasetError, match=r"Case 'a' needs the 2 channels _0000 to _0001, but has _0000"):
        read("nnunet", tmp_path)


def test_chaos(tmp_path):
    for name in ("InPhase", "OutPhase"):
        (tmp_path / "MR/37/T1DUAL/DICOM_anon" / name).mkdir(parents=True)
    (tmp_path / "MR/37/T1DUAL/Ground").mkdir()
    (tmp_path / "MR/37/T2SPIR/DICOM_anon").mkdir(parents=True)
    found = read("chaos", tmp_path)
    assert relative(found, tmp_path) == {
        "37": (
            ["MR/37/T1DUAL/DICOM_anon/InPhase", "MR/37/T1DUAL/DICOM_anon/OutPhase"],
            ["MR/37/T1DUAL/Ground"],
        )
    }
    assert [structure.values for structure in found.structures] == [(63,), (126,), (189,), (252,)]


def test_nci_isbi_2013(tmp_path):
    for name in ("Prostate3T-01-0001", "ProstateDx-01-0002"):
        folder = tmp_path / "DOI" / name / "1.2.3" / "4.5.6"
        folder.mkdir(parents=True)
        (folder / "000.dcm").touch()
    write(tmp_path / "labels" / "Prostate3T-01-0001.nrrd")
    write(tmp_path / "labels" / "ProstateDx-01-0002_truth.nrrd")
    found = read("nci-isbi-2013", tmp_path)
    assert {case.id: (case.domain, len(case.labels)) for case in found.cases} == {
        "Prostate3T-01-0001": ("3T", 1),
        "ProstateDx-01-0002": ("1.5T endorectal", 1),
    }
    assert found.cases[0].images[0] == tmp_path / "DOI/Prostate3T-01-0001/1.2.3/4.5.6"


def test_labels_that_fit_no_image_are_named(tmp_path, capsys):
    for name in ("images/p1", "images/p2", "labels/p1", "labels/P2", "labels/p1_seg"):
        write(tmp_path / f"{name}.nii.gz")
    assert [path.name for path in read("folder", tmp_path).lone_labels] == ["P2.nii.gz", "p1_seg.nii.gz"]
    assert main(["import", "folder", str(tmp_path), "--output", str(tmp_path / "d.json"), "--structure", "x=1"]) == 0
    assert "2 label(s) have the name of no image and are left out: P2.nii.gz, p1_seg.nii.gz." in capsys.readouterr().err
    (tmp_path / "labels/p1.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"None of the 2 label\(s\).*P2.nii.gz for one.*such as p1.nii.gz"):
        find_cases(tmp_path)


def test_numbered_images_of_one_name_are_cases(tmp_path):
    for index in range(3):
        write(tmp_path / f"images/scan_{index:04d}.nii.gz")
    assert [case.id for case in find_cases(tmp_path).cases] == ["scan_0000", "scan_0001", "scan_0002"]
    write(tmp_path / "labels/scan.nii.gz")
    assert [(case.id, len(case.images)) for case in find_cases(tmp_path).cases] == [("scan", 3)]


def test_promise12(tmp_path):
    for name in ("Case00", "Case00_segmentation", "test/Case01"):
        write(tmp_path / f"{name}.mhd")
    assert relative(read("promise12", tmp_path), tmp_path) == {
        "Case00": (["Case00.mhd"], ["Case00_segmentation.mhd"]),
        "Case01": (["test/Case01.mhd"], []),
    }
    # The number of another folder is another patient.
    write(tmp_path / "test/Case00.mhd")
    assert relative(read("promise12", tmp_path), tmp_path) == {
        f"{tmp_path.name}-Case00": (["Case00.mhd"], ["Case00_segmentation.mhd"]),
        "test-Case00": (["test/Case00.mhd"], []),
        "Case01": (["test/Case01.mhd"], []),
    }


def write_qubiq(folder: Path) -> None:
    for case in ("case01", "case02"):
        write(folder / "kidney" / case / "image.nii.gz")
        for rater in (1, 2, 3):
            write(folder / "kidney" / case / f"task01_seg{rater:02d}.nii.gz")


def test_qubiq_with_one_raters_labels(tmp_path):
    write_qubiq(tmp_path)
    found = read("qubiq", tmp_path)
    dataset = select_cases(found, Selection(test="case02", rater=2))
    train, test = dataset.cases
    assert train.label == tmp_path / "kidney/case01/task01_seg02.nii.gz"
    assert (test.split, len(test.rater_labels)) == (Split.TEST, 3)
    with pytest.raises(DatasetError, match=r"There is no rater 4 \(--rater\); the labels were drawn by rater 1, 2, 3"):
        select_cases(found, Selection(rater=4))


def test_each_rater_keeps_the_own_number_where_one_drew_nothing(tmp_path):
    write_qubiq(tmp_path)
    (tmp_path / "kidney/case01/task01_seg02.nii.gz").unlink()
    found = read("qubiq", tmp_path)
    assert [case.raters for case in found.cases] == [(1, 3), (1, 2, 3)]
    assert select_cases(found, Selection(rater=3)).cases[0].label == tmp_path / "kidney/case01/task01_seg03.nii.gz"


def test_a_case_that_another_rater_drew_counts_as_unlabelled(tmp_path, capsys):
    for name in ("images/a", "images/b", "labels_A/a", "labels_B/a", "labels_B/b"):
        write(tmp_path / f"{name}.nrrd")
    command = ["import", "folder", str(tmp_path), "--output", str(tmp_path / "d.json")]
    assert main(command) == 0
    cases = load_dataset(tmp_path / "d.json").cases
    assert [(case.label, case.quality.value) for case in cases] == [
        (tmp_path / "labels_A/a.nrrd", "HQA"),
        (None, "unlabelled"),
    ]
    assert (
        "1 case(s) that others labelled have no label of rater 1 and count as unlabelled: b." in capsys.readouterr().err
    )
    assert main([*command, "--rater", "2"]) == 0
    assert [case.label for case in load_dataset(tmp_path / "d.json").cases] == [
        tmp_path / "labels_B/a.nrrd",
        tmp_path / "labels_B/b.nrrd",
    ]
    assert "Note" not in capsys.readouterr().err


def test_folder_of_pairs_and_its_structures(tmp_path):
    for name in ("images/a.nii.gz", "images/b.nii.gz"):
        write(tmp_path / name)
    write(tmp_path / "labels/a.nii.gz", (0, 1, 2))
    found = read("folder", tmp_path)
    assert relative(found, tmp_path) == {
        "a": (["images/a.nii.gz"], ["labels/a.nii.gz"]),
        "b": (["images/b.nii.gz"], []),
    }
    assert [(structure.name, structure.values) for structure in found.structures] == [
        ("label 1", (1,)),
        ("label 2", (2,)),
    ]


def test_folder_of_files_side_by_side_with_channels(tmp_path):
    for name in ("a_0000.nrrd", "a_0001.nrrd", "a_seg.nrrd", "b_0000.nrrd", "b_0001.nrrd"):
        write(tmp_path / name)
    assert relative(read("folder", tmp_path), tmp_path) == {
        "a": (["a_0000.nrrd", "a_0001.nrrd"], ["a_seg.nrrd"]),
        "b": (["b_0000.nrrd", "b_0001.nrrd"], []),
    }


def write_segments(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_segmentation(make_image(np.ones((2, 4, 4), np.uint8)), [BALL], path)
    return path


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_segmentation_beside_an_image_is_its_label(tmp_path, ending):
    for name in "abc":
        write(tmp_path / f"{name}{ending}")
        write_segments(tmp_path / f"{name}.seg.nrrd")
    assert relative(read("folder", tmp_path), tmp_path) == {
        name: ([f"{name}{ending}"], [f"{name}.seg.nrrd"]) for name in "abc"
    }
    # What a batch lists.
    assert list(images_in(tmp_path).values()) == [tmp_path / f"{name}{ending}" for name in "abc"]


def test_segmentations_that_nobody_vouches_for_are_of_low_quality_unless_the_user_says_otherwise(tmp_path):
    for name in ("drawn", "predicted"):
        write(tmp_path / f"{name}.nii.gz")
    labels = make_image(np.ones((2, 4, 4), np.uint8))
    write_segmentation(labels, [BALL], tmp_path / "drawn.seg.nrrd")
    write_labels(labels, [BALL], tmp_path / "predicted.seg.nrrd")
    found = read("folder", tmp_path)
    qualities = {case.id: case.quality for case in select_cases(found, Selection()).cases}
    assert qualities == {"drawn": LabelQuality.HQA, "predicted": LabelQuality.LQA}
    chosen = select_cases(found, Selection(hqa="predicted"))
    assert {case.id: case.quality for case in chosen.cases} == {
        "drawn": LabelQuality.UNLABELLED,
        "predicted": LabelQuality.HQA,
    }


def test_a_folder_of_segmentations_is_one_of_labels(tmp_path):
    write(tmp_path / "images/a.nii.gz")
    write_segments(tmp_path / "labels/a.seg.nrrd")
    assert relative(read("folder", tmp_path), tmp_path) == {"a": (["images/a.nii.gz"], ["labels/a.seg.nrrd"])}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["images/a.nii.gz", "images/a.png", "labels/a.nrrd"], r"images/a\.nii\.gz and a\.png have the same name"),
        (
            ["images/a.nrrd", "labels/a.nrrd", "labels/a.seg.nrrd"],
            r"labels/a\.nrrd and a\.seg\.nrrd have the same name",
        ),
        (["a.nrrd", "a_label.nrrd", "a_seg.nrrd"], r"a_label\.nrrd and a_seg\.nrrd are both labels of 'a'"),
        (["a.nrrd", "a_label.nrrd", "a.seg.nrrd"], r"a\.seg\.nrrd and a_label\.nrrd are both labels of 'a'"),
    ],
)
def test_two_files_for_one_place(tmp_path, names, expected):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.raises(DatasetError, match=expected):
        read("folder", tmp_path)


@pytest.mark.parametrize("first", [0, 1])
def test_numbered_patients_are_no_channels(tmp_path, first):
    for index in range(3):
        write(tmp_path / "images" / f"patient_{first + index:04d}.nrrd")
    write(tmp_path / "labels" / f"patient_{first + 1:04d}.nrrd")
    found = read("folder", tmp_path)
    assert found.channels == ("image",)
    assert [case.id for case in found.cases] == [f"patient_{first + index:04d}" for index in range(3)]
    assert [len(case.labels) for case in found.cases] == [0, 1, 0]


def test_numbered_patients_without_labels(tmp_path):
    write(tmp_path / "patient_0001.nrrd")
    write(tmp_path / "patient_0002.nrrd")
    assert [case.id for case in find_cases(tmp_path).cases] == ["patient_0001", "patient_0002"]


def test_channels_that_are_counted_from_1(tmp_path):
    for name in ("a_0001", "a_0002", "a_label"):
        write(tmp_path / f"{name}.nrrd")
    with pytest.raises(DatasetError, match="Case 'a' needs the 3 channels _0000 to _0002, but has _0001, _0002"):
        read("folder", tmp_path)


def test_folder_whose_labels_are_images(tmp_path):
    write(tmp_path / "images/a.nrrd")
    path = tmp_path / "labels/a.nrrd"
    path.parent.mkdir()
    sitk.WriteImage(make_image(np.arange(100, dtype=np.int16).reshape(1, 10, 10)), str(path))
    with pytest.raises(DatasetError, match=r"labels/a.nrrd is taken for a label but holds 100 different values"):
        read("folder", tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_of_another_layout(tmp_path, layout):
    with pytest.raises(DatasetError, match=str(tmp_path)):
        read(layout, tmp_path)
    with pytest.raises(DatasetError, match="There is no folder"):
        read(layout, tmp_path / "missing")


@pytest.fixture
def ten_cases(tmp_path):
    for index in range(10):
        # Two examinations a patient.
        name = f"patient{index // 2}_scan{index % 2}"
        write(tmp_path / "images" / f"{name}.nrrd")
        if index < 8:
            write(tmp_path / "labels" / f"{name}.nrrd")
    return read("folder", tmp_path)


def chosen(dataset, quality=None, split=None):
    return [case.id for case in dataset.cases if quality in (None, case.quality) and split in (None, case.split)]


def test_numbers_of_patients_and_no_patient_in_two_splits(ten_cases):
    dataset = select_cases(ten_cases, Selection(test="1", val="1", hqa="1", patient_pattern="patient[0-9]"))
    assert chosen(dataset, split=Split.TEST) == ["patient0_scan0", "patient0_scan1"]
    assert chosen(dataset, split=Split.VAL) == ["patient1_scan0", "patient1_scan1"]
    assert chosen(dataset, LabelQuality.HQA, Split.TRAIN) == ["patient2_scan0", "patient2_scan1"]
    assert len(chosen(dataset, LabelQuality.UNLABELLED)) == 4
    assert {case.patient for case in dataset.cases} == {f"patient{index}" for index in range(5)}


def test_lists_patterns_shares_and_files(ten_cases, tmp_path):
    listed = tmp_path / "good.txt"
    listed.write_text("patient0_scan0\n\npatient1_scan1\n")
    dataset = select_cases(ten_cases, Selection(test="patient3*", hqa=f"@{listed}", lqa="patient2_scan0, *scan0"))
    assert chosen(dataset, split=Split.TEST) == ["patient3_scan0", "patient3_scan1"]
    assert chosen(dataset, LabelQuality.HQA, Split.TRAIN) == ["patient0_scan0", "patient1_scan1"]
    assert chosen(dataset, LabelQuality.LQA) == ["patient1_scan0", "patient2_scan0"]
    dataset = select_cases(ten_cases, Selection(test="25%"))
    assert len(chosen(dataset, split=Split.TEST)) == 2


def test_brackets_in_a_name_stand_for_themselves():
    cases = [
        FoundCase(name, (Path(f"{name}.nii.gz"),), (Path(f"{name}_label.nii.gz"),)) for name in ("p[1]", "p1", "p2")
    ]
    found = FoundCases(("image",), named_structures([("ball", [1])]), cases)
    for choice in ("p[1]", "id:p[1]", "p[*"):
        assert chosen(select_cases(found, Selection(test=choice)), split=Split.TEST) == ["p[1]"]


def test_unlabelled_cases_can_be_limited(ten_cases):
    dataset = select_cases(ten_cases, Selection(hqa="2", unlabelled="3"))
    assert [len(chosen(dataset, quality)) for quality in LabelQuality] == [2, 0, 3]


def test_random_choice_follows_the_seed(ten_cases):
    picks = [
        tuple(chosen(select_cases(ten_cases, Selection(test="2", seed=seed)), split=Split.TEST)) for seed in range(6)
    ]
    assert picks[0] == tuple(chosen(select_cases(ten_cases, Selection(test="2", seed=0)), split=Split.TEST))
    assert len(set(picks)) > 1


@pytest.mark.parametrize(
    ("choice", "expected"), [("2", ["3", "37"]), ("37", ["37"]), ("id:2", ["2"]), ("id:3,37", ["3", "37"])]
)
def test_numbers_that_are_names_too(choice, expected):
    names = ("3", "37", "2")
    found = FoundCases(
        ("T1",), (BALL,), tuple(FoundCase(name, (Path(name),), (Path(f"{name}-label"),), "") for name in names)
    )
    dataset = select_cases(found, Selection(hqa=choice))
    assert [case.id for case in dataset.cases if case.quality is LabelQuality.HQA] == expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(test="9"), "--test asks for 9 patients, but only 8 are left"),
        (Selection(hqa="nobody"), "--hqa: 'nobody' matches no case that is left"),
        (Selection(hqa="@missing.txt"), "list of cases missing.txt cannot be read"),
        (Selection(patient_pattern="("), r"patient pattern '\(' is no regular expression"),
        (Selection(patient_pattern="x"), "Case 'patient0_scan0' does not match the patient pattern 'x'"),
        (Selection(channels=("T1", "T2")), r"have 1 channel\(s\), but 2 names are given"),
    ],
)
def test_a_choice_that_cannot_be_met(ten_cases, selection, expected):
    with pytest.raises(DatasetError, match=expected):
        select_cases(ten_cases, selection)


def test_import_command_writes_paths_relative_to_the_file(tmp_path, capsys):
    write_qubiq(tmp_path / "source")
    output = tmp_path / "out" / "dataset.json"
    output.parent.mkdir()
    code = main(
        ["import", "qubiq", str(tmp_path / "source"), "--output", str(output), "--structure", "kidney=1:10,20,30"]
    )
    assert code == 0
    assert "2 HQA train; structures: kidney." in capsys.readouterr().out
    assert json.loads(output.read_text())["cases"][0]["images"] == ["../source/kidney/case01/image.nii.gz"]
    assert load_dataset(output).structures[0].color == (10, 20, 30)


def test_import_command_with_a_faulty_structure(tmp_path, capsys):
    write_qubiq(tmp_path)
    assert main(["import", "qubiq", str(tmp_path), "--output", str(tmp_path / "d.json"), "--structure", "1"]) == 2
    assert "--structure must be NAME=VALUE" in capsys.readouterr().err
