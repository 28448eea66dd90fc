"""Datasets written in public layouts, and read back by the readers of the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import make_image

from AIDELib.atomic_file import UNFINISHED
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.case_volumes import read_case
from AIDELib.commands import main
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.grid import as_volume, same_grid
from AIDELib.structure import Structure
from AIDELib.writers.nifti_file import write_nifti

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
TILT = np.array([[1.0, 0.0, 0.0], [0.0, 0.28, -0.96], [0.0, 0.96, 0.28]])
GRIDS = {
    "oblique": ((0.7, 0.7, 3.5), (-31.7, 12.3, 140.9), TURN @ TILT),
    "anisotropic": ((0.5, 1.25, 6.0), (1.0, -2.0, 3.0), np.eye(3)),
    "flipped": ((1.0, 2.0, 3.0), (10.0, 20.0, 30.0), np.diag([-1.0, 1.0, -1.0])),
    "left-handed": ((1.0, 2.0, 3.0), (10.0, 20.0, 30.0), np.diag([1.0, 1.0, -1.0])),
    "permuted": ((1.0, 2.0, 3.0), (-5.0, 0.0, 5.0), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])),
    "2D": ((0.6, 0.9), (-3.0, 4.0), np.array([[0.8, 0.6], [-0.6, 0.8]])),
    "2D flipped": ((0.6, 0.9), (-3.0, 4.0), np.array([[-1.0, 0.0], [0.0, 1.0]])),
}
# Two of the values of the first structure are one value in the layouts.
STRUCTURES = (Structure("core", (7, 9), (1, 2, 3)), Structure("rim", (4,), (4, 5, 6)))
SUFFIX = {"nnunet": "out/Dataset042_Test", "decathlon": "out/Task42_Test"}


def write_case(folder, name, grid, channels, seed, quality=LabelQuality.HQA, split=Split.TRAIN, patient="") -> Case:
    """Write a case of random voxels; the last of several channels lies on a grid of its own."""
    generator = np.random.default_rng(seed)
    spacing, origin, direction = grid
    shape = (5, 6, 7)[-len(spacing) :]
    images = []
    for channel in range(channels):
        array = generator.integers(-1000, 3000, shape).astype(np.int16)
        if channel == 1:
            array = generator.normal(size=shape).astype(np.float32)
        shifted = tuple(value + 0.2 * (channel == 2) for value in origin)
        images.append(folder / f"{name} channel {channel}.nrrd")
        sitk.WriteImage(make_image(array, spacing, shifted, direction), str(images[-1]))
    label = None
    if quality is not LabelQuality.UNLABELLED:
        label = folder / f"{name} label.nrrd"
        values = generator.choice(np.array([0, 4, 7, 9], np.uint8), shape)
        sitk.WriteImage(make_image(values, spacing, origin, direction), str(label))
    return Case(name, tuple(images), label, quality, split, patient)


def write_cases(folder, cases, channels) -> Dataset:
    dataset = Dataset(tuple(f"T{channel + 1}" for channel in range(channels)), STRUCTURES, tuple(cases))
    save_dataset(dataset, folder / "dataset.json")
    return dataset


def export(folder, layout) -> int:
    output = folder / SUFFIX[layout]
    return main(["export-dataset", str(folder / "dataset.json"), "--to", layout, "--output", str(output)])


def import_again(folder, layout, *options) -> Dataset:
    output = folder / "again.json"
    assert main(["import", layout, str(folder / SUFFIX[layout]), "--output", str(output), *options]) == 0
    return load_dataset(output)


def assert_equal_images(image, expected):
    assert image.GetSize() == expected.GetSize()
    assert same_grid(image, expected)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(expected))


@pytest.mark.parametrize("layout", SUFFIX)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("grid", GRIDS)
def test_cases_come_back_as_they_were(tmp_path, grid, channels, layout):
    case = write_case(tmp_path, "a b.1", GRIDS[grid], channels, seed=1)
    dataset = write_cases(tmp_path, [case], channels)
    assert export(tmp_path, layout) == 0
    again = import_again(tmp_path, layout)
    assert again.channels == dataset.channels
    assert [(one.name, one.values) for one in again.structures] == [("core", (1,)), ("rim", (2,))]
    expected, found = read_case(case, dataset), read_case(again.cases[0], again)
    assert found.case.id == "a b.1"
    # The Decathlon layout knows volumes only.
    shaped = as_volume if layout == "decathlon" else lambda image: image
    for channel, original in zip(found.channels, expected.channels, strict=True):
        assert_equal_images(channel, shaped(original))
    assert_equal_images(found.label, shaped(expected.label))
    assert set(np.unique(sitk.GetArrayFromImage(found.label))) == {0, 1, 2}


@pytest.fixture
def mixed(tmp_path):
    """Return the folder of a dataset with cases of every quality and split."""
    grid = GRIDS["anisotropic"]
    cases = [
        write_case(tmp_path, "good", grid, 2, 1),
        write_case(tmp_path, "rough", grid, 2, 2, LabelQuality.LQA, patient="Q"),
        write_case(tmp_path, "bare", grid, 2, 3, LabelQuality.UNLABELLED),
        write_case(tmp_path, "judge", grid, 2, 4, split=Split.VAL),
        write_case(tmp_path, "exam", grid, 2, 5, split=Split.TEST),
    ]
    write_cases(tmp_path, cases, 2)
    return tmp_path


@pytest.mark.parametrize("layout", SUFFIX)
def test_qualities_and_splits_as_far_as_the_layout_has_them(mixed, layout, capsys):
    assert export(mixed, layout) == 0
    printed = capsys.readouterr().out
    assert "3 training and 2 test cases; label values: 1 core, 2 rim." in printed
    assert (
        "which labels are rough (1 LQA); which cases choose the best epoch (1 val); the patients; "
        "the colours and codes of the structures." in printed
    )
    assert {case.id: (case.quality.value, case.split.value) for case in import_again(mixed, layout).cases} == {
        "good": ("HQA", "train"),
        "rough": ("HQA", "train"),
        "judge": ("HQA", "train"),
        "bare": ("unlabelled", "train"),
        "exam": ("HQA", "test"),
    }
    again = import_again(mixed, layout, "--test", "0", "--val", "judge", "--lqa", "rough", "--hqa", "good")
    assert {case.id: (case.quality.value, case.split.value) for case in again.cases} == {
        "good": ("HQA", "train"),
        "rough": ("LQA", "train"),
        "judge": ("HQA", "val"),
        "bare": ("unlabelled", "train"),
        "exam": ("unlabelled", "train"),
    }


def test_an_nnunet_folder_is_what_nnunet_asks_for(mixed):
    assert export(mixed, "nnunet") == 0
    folder = mixed / SUFFIX["nnunet"]
    assert json.loads((folder / "dataset.json").read_text()) == {
        "channel_names": {"0": "T1", "1": "T2"},
        "labels": {"background": 0, "core": 1, "rim": 2},
        "numTraining": 3,
        "file_ending": ".nii.gz",
    }
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    images = {f"images{part}_{number}.nii.gz" for part in ("Tr/good", "Tr/rough", "Tr/judge", "Ts/bare", "Ts/exam")
              for number in ("0000", "0001")}  # fmt: skip
    labels = {f"labels{part}.nii.gz" for part in ("Tr/good", "Tr/rough", "Tr/judge", "Ts/exam")}
    assert names == images | labels | {"dataset.json"}


def test_a_decathlon_folder_is_what_the_decathlon_describes(mixed):
    assert export(mixed, "decathlon") == 0
    folder = mixed / SUFFIX["decathlon"]
    description = json.loads((folder / "dataset.json").read_text())
    assert description["tensorImageSize"] == "4D"
    assert description["modality"] == {"0": "T1", "1": "T2"}
    assert description["labels"] == {"0": "background", "1": "core", "2": "rim"}
    assert (description["numTraining"], description["numTest"]) == (3, 2)
    assert description["training"][1] == {"image": "./imagesTr/rough.nii.gz", "label": "./labelsTr/rough.nii.gz"}
    assert description["test"] == ["./imagesTs/bare.nii.gz", "./imagesTs/exam.nii.gz"]
    image = sitk.ReadImage(str(folder / "imagesTr" / "good.nii.gz"))
    assert image.GetSize() == (7, 6, 5, 2)


def test_monai_reads_a_decathlon_folder(mixed):
    from monai.data import load_decathlon_datalist, load_decathlon_properties

    assert export(mixed, "decathlon") == 0
    folder = mixed / SUFFIX["decathlon"]
    description = str(folder / "dataset.json")
    assert load_decathlon_properties(description, ["modality", "labels"])["modality"] == {"0": "T1", "1": "T2"}
    training = load_decathlon_datalist(description, is_segmentation=True, data_list_key="training")
    assert [sorted(entry) for entry in training] == [["image", "label"]] * 3
    test = load_decathlon_datalist(description, is_segmentation=True, data_list_key="test")
    files = [path for entry in (*training, *test) for path in entry.values()]
    assert len(files) == 8
    assert all(Path(path).is_file() for path in files)


def test_whole_numbers_stay_small(tmp_path):
    write_cases(tmp_path, [write_case(tmp_path, "a", GRIDS["oblique"], 2, 1)], 2)
    assert export(tmp_path, "nnunet") == 0
    images = tmp_path / SUFFIX["nnunet"] / "imagesTr"
    assert sitk.ReadImage(str(images / "a_0000.nii.gz")).GetPixelID() == sitk.sitkInt16
    assert sitk.ReadImage(str(images / "a_0001.nii.gz")).GetPixelID() == sitk.sitkFloat32


def test_whole_numbers_of_several_channels_stay_small(tmp_path):
    channels = [sitk.GetImageFromArray(np.full((2, 3, 4), value, np.float32)) for value in (-7.0, 300.0)]
    image = sitk.JoinSeries(channels)
    write_nifti(image, tmp_path / "a.nii.gz")
    written = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    assert (written.GetPixelID(), written.GetSize()) == (sitk.sitkInt16, (4, 3, 2, 2))
    assert np.unique(sitk.GetArrayFromImage(written)[1]).tolist() == [300]


def refusal(capsys, folder, layout) -> str:
    assert export(folder, layout) == 2
    message = capsys.readouterr().err
    assert message.startswith("Error: ")
    assert "Traceback" not in message
    assert not list(folder.rglob(f"{UNFINISHED}*"))
    return message


@pytest.mark.parametrize("layout", SUFFIX)
def test_a_folder_that_is_in_use_is_left_alone(mixed, layout, capsys):
    (mixed / SUFFIX[layout]).mkdir(parents=True)
    foreign = mixed / SUFFIX[layout] / "notes.txt"
    foreign.write_text("mine")
    assert "it exists already and is not empty" in refusal(capsys, mixed, layout)
    assert foreign.read_text() == "mine"
    foreign.unlink()
    assert export(mixed, layout) == 0


@pytest.mark.parametrize("layout", SUFFIX)
def test_a_faulty_case_leaves_nothing_behind(mixed, layout, capsys):
    (mixed / "exam label.nrrd").write_bytes(b"NRRD0004\n")
    assert "Case 'exam'" in refusal(capsys, mixed, layout)
    assert not (mixed / SUFFIX[layout]).exists()


def test_a_folder_name_that_nnunet_would_not_find(mixed, capsys):
    output = str(mixed / "liver")
    assert main(["export-dataset", str(mixed / "dataset.json"), "--to", "nnunet", "--output", output]) == 2
    assert "must be like Dataset123_Liver; 'liver' is not" in capsys.readouterr().err


@pytest.mark.parametrize("layout", SUFFIX)
def test_a_structure_name_that_means_something_else(tmp_path, layout, capsys):
    case = write_case(tmp_path, "a", GRIDS["flipped"], 1, 1)
    dataset = Dataset(("T1",), (Structure("Ignore", (4,), (1, 2, 3)),), (case,))
    save_dataset(dataset, tmp_path / "dataset.json")
    assert "'Ignore' is no name for a structure in" in refusal(capsys, tmp_path, layout)


@pytest.mark.parametrize("layout", SUFFIX)
def test_structures_named_by_numbers(tmp_path, layout):
    case = write_case(tmp_path, "a", GRIDS["flipped"], 1, 1)
    save_dataset(Dataset(("T1",), (Structure("4", (4,), (1, 2, 3)),), (case,)), tmp_path / "dataset.json")
    assert export(tmp_path, layout) == 0
    assert [(one.name, one.values) for one in import_again(tmp_path, layout).structures] == [("4", (1,))]


@pytest.mark.parametrize("layout", SUFFIX)
def test_axes_that_nifti_cannot_hold(tmp_path, layout, capsys):
    sheared = np.array([[1.0, 0.3, 0.0], [0.0, 0.954, 0.0], [0.0, 0.0, 1.0]])
    write_cases(tmp_path, [write_case(tmp_path, "a", ((1.0, 1.0, 2.0), (0.0, 0.0, 0.0), sheared), 1, 1)], 1)
    message = refusal(capsys, tmp_path, layout)
    assert "Case 'a'" in message
    assert "NIfTI" in message


@pytest.mark.parametrize("layout", SUFFIX)
def test_names_too_long_for_a_file(tmp_path, layout, capsys):
    case = write_case(tmp_path, "a", GRIDS["flipped"], 1, 1)
    long = Case("\N{MUSICAL SYMBOL G CLEF}" * 120, case.images, case.label, case.quality, case.split)
    save_dataset(Dataset(("T1",), STRUCTURES, (long,)), tmp_path / "dataset.json")
    assert "cannot be written" in refusal(capsys, tmp_path, layout)
