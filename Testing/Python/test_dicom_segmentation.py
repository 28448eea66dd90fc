import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from case_files import make_image

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.case_volumes import read_case
from AIDELib.commands import main
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import save_dataset
from AIDELib.dicom_segmentation import dicom_segmentation_in, read_dicom_segmentation
from AIDELib.errors import AIDEError, VolumeError
from AIDELib.structure import Structure
from Testing.dicom_files import write_dicom_segmentation, write_series
from Testing.fuzz_inputs import BYTES, spoil_dicom_elements

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
TILT = np.array([[1.0, 0.0, 0.0], [0.0, 0.28, -0.96], [0.0, 0.96, 0.28]])
GRIDS = {
    "oblique": ((0.7, 0.9, 3.5), (-31.7, 12.3, 140.9), TURN @ TILT),
    "flipped": ((1.0, 2.0, 3.0), (10.0, 20.0, 30.0), np.diag([-1.0, 1.0, -1.0])),
    "permuted": ((1.0, 2.0, 3.0), (-5.0, 0.0, 5.0), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])),
}
SHAPE = (5, 3, 4)
LIVER, TUMOUR = Structure("liver", (1,), (1, 2, 3)), Structure("tumour", (2,), (4, 5, 6))
# The first and the last slice are empty, and so is the one in the middle.
LABEL = np.zeros(SHAPE, np.uint8)
LABEL[1] = [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 2, 0]]
LABEL[3] = [[0, 0, 0, 0], [0, 1, 1, 2], [0, 0, 0, 2]]


def masks_of(label) -> np.ndarray:
    return np.stack([label == 1, label == 2], axis=-1).astype(np.uint8)


def series_on(folder, grid="oblique", **options):
    return write_series(folder / "series", np.arange(60).reshape(SHAPE), *GRIDS[grid], **options)


def read(folder, label, structures=(LIVER, TUMOUR), image="series"):
    case = Case("a", (folder / image,), label, LabelQuality.HQA, Split.TRAIN)
    return read_case(case, Dataset(("MR",), tuple(structures), (case,)))


def labels_of(*arguments, **options) -> np.ndarray:
    return sitk.GetArrayFromImage(read(*arguments, **options).label)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("keep_empty_frames", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_voxels_on_the_grid_of_the_series(tmp_path, grid, keep_empty_frames, kind):
    path = write_dicom_segmentation(
        tmp_path / "s.dcm", series_on(tmp_path, grid), masks_of(LABEL), ["Liver", "Tumour"], kind, keep_empty_frames
    )
    volumes = read(tmp_path, path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(volumes.label), LABEL)
    assert volumes.label.GetSize() == (4, 3, 5)
    np.testing.assert_allclose(volumes.label.GetOrigin(), GRIDS[grid][1])


def test_a_folder_that_holds_nothing_but_the_segmentation(tmp_path):
    path = write_dicom_segmentation(
        tmp_path / "labels" / "1-1.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"]
    )
    np.testing.assert_array_equal(labels_of(tmp_path, path.parent), LABEL)
    assert dicom_segmentation_in(tmp_path / "series") is None
    assert dicom_segmentation_in(tmp_path / "series" / "000.dcm") is None


def test_onto_an_image_on_another_grid(tmp_path):
    """The image has half the slices and pixels of another order; each voxel takes the label at its place."""
    spacing, origin, _ = GRIDS["flipped"]
    path = write_dicom_segmentation(
        tmp_path / "s.dcm", series_on(tmp_path, "flipped"), masks_of(LABEL), ["liver", "tumour"]
    )
    # The series runs along -x, y, -z from its origin; this image along x, y, z from the opposite corner.
    start = (origin[0] - 3 * spacing[0], origin[1], origin[2] - 3 * spacing[2])
    image = make_image(np.zeros((2, 3, 4), np.float32), (1.0, 2.0, 6.0), start)
    sitk.WriteImage(image, str(tmp_path / "image.nii.gz"))
    np.testing.assert_array_equal(
        labels_of(tmp_path, path, image="image.nii.gz"), np.stack([LABEL[3, :, ::-1], LABEL[1, :, ::-1]])
    )


def test_numbers_count_where_no_name_does(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["A", "B"])
    np.testing.assert_array_equal(labels_of(tmp_path, path, (TUMOUR, LIVER)), np.array([0, 2, 1], np.uint8)[LABEL])
    both = Structure("both", (1, 2), (1, 2, 3))
    np.testing.assert_array_equal(labels_of(tmp_path, path, (both,)), LABEL > 0)
    with pytest.raises(VolumeError, match="has the segments A, B, none of which is one of the dataset's structures"):
        read(tmp_path, path, (Structure("C", (3,), (1, 2, 3)),))


def test_segments_of_one_name_are_one_structure(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["Tumour", "tumour"])
    np.testing.assert_array_equal(labels_of(tmp_path, path, (TUMOUR,)), LABEL > 0)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_where_segments_overlap_the_later_structure_counts(tmp_path, kind):
    masks = masks_of(LABEL)
    masks[1, 0, 0] = 1
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks, ["liver", "tumour"], kind)
    expected = LABEL.copy()
    expected[1, 0, 0] = 2
    np.testing.assert_array_equal(labels_of(tmp_path, path), expected)
    expected[1, 0, 0] = 1
    np.testing.assert_array_equal(labels_of(tmp_path, path, (TUMOUR, LIVER)), np.array([0, 2, 1], np.uint8)[expected])


def test_fractions_count_from_one_half(tmp_path):
    masks = np.zeros((*SHAPE, 1), np.float32)
    masks[2, 0] = np.array([0.2, 0.49, 0.51, 1.0])[:, np.newaxis]
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks, ["liver"], "FRACTIONAL")
    assert labels_of(tmp_path, path, (LIVER,))[2, 0].tolist() == [0, 0, 1, 1]


def without_slice_distance(path) -> None:
    """Take away what tells how far slices are apart, as some programs leave it out."""
    file = pydicom.dcmread(path)
    measures = file.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if "SpacingBetweenSlices" in measures:
        del measures.SpacingBetweenSlices
    file.save_as(path)


def test_slices_between_frames_that_are_left_out_stay_empty(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    without_slice_distance(path)
    assert pydicom.dcmread(path).NumberOfFrames == 4
    np.testing.assert_array_equal(labels_of(tmp_path, path), LABEL)


def test_a_single_frame(tmp_path):
    label = np.where(np.arange(5)[:, np.newaxis, np.newaxis] == 3, LABEL, 0).astype(np.uint8)
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(label)[..., :1], ["liver"])
    without_slice_distance(path)
    np.testing.assert_array_equal(labels_of(tmp_path, path, (LIVER,)), label == 1)


def test_another_frame_of_reference(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    shutil.rmtree(tmp_path / "series")
    series_on(tmp_path, frame_of_reference="1.2.3")
    with pytest.raises(
        VolumeError, match=r"Case 'a': .* another frame of reference .* than that of the images \(1.2.3\)"
    ):
        read(tmp_path, path)


def test_elsewhere_in_space(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    sitk.WriteImage(make_image(np.zeros(SHAPE, np.float32), origin=(900.0, 0.0, 0.0)), str(tmp_path / "i.nii.gz"))
    with pytest.raises(VolumeError, match="lies nowhere on the image"):
        read(tmp_path, path, image="i.nii.gz")


def test_frames_that_are_no_stack(tmp_path):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    file = pydicom.dcmread(path)
    for index, frame in enumerate(file.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient = [0.0, float(index) ** 2.5, float(index)]
    file.save_as(path)
    with pytest.raises(VolumeError, match="no stack of parallel, evenly spaced slices"):
        read(tmp_path, path)


def test_without_highdicom_the_message_says_what_to_install(tmp_path, monkeypatch):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(VolumeError, match="pip install highdicom"):
        read(tmp_path, path)


def test_commands_take_dicom_segmentations(tmp_path, capsys):
    path = write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])
    case = Case("a", (tmp_path / "series",), path, LabelQuality.HQA, Split.TRAIN)
    save_dataset(Dataset(("MR",), (LIVER, TUMOUR), (case,)), tmp_path / "dataset.json")
    assert main(["check", str(tmp_path / "dataset.json")]) == 0
    assert main(["measure", str(path), str(path)]) == 0
    printed = capsys.readouterr().out
    assert "4x3x5" in printed
    assert "1.0000" in printed


def claims(path: Path, **values) -> Path:
    file = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(file, name, value)
    file.save_as(path)
    return path


@pytest.fixture
def segmentation(tmp_path) -> Path:
    return write_dicom_segmentation(tmp_path / "s.dcm", series_on(tmp_path), masks_of(LABEL), ["liver", "tumour"])


@pytest.mark.parametrize(
    "values",
    [
        {"Rows": 65535, "Columns": 65535},
        {"NumberOfFrames": 2**31 - 1},
        {"NumberOfFrames": 0},
        {"BitsAllocated": 7},
        {"SegmentSequence": []},
        {"PerFrameFunctionalGroupsSequence": []},
        {"SharedFunctionalGroupsSequence": []},
        {"PixelData": b""},
    ],
    ids=str,
)
def test_claims_that_cannot_be(segmentation, values):
    with pytest.raises(VolumeError, match=r"s\.dcm"):
        read_dicom_segmentation(claims(segmentation, **values))


def test_frames_far_apart_take_no_memory(segmentation):
    file = pydicom.dcmread(segmentation)
    file.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [
        float(value) for value in np.array(GRIDS["oblique"][1]) + 1e12 * GRIDS["oblique"][2][:, 2]
    ]
    file.save_as(segmentation)
    with pytest.raises(VolumeError, match=r"s\.dcm"):
        read_dicom_segmentation(segmentation)


def test_a_thickness_of_nothing_takes_no_memory(segmentation):
    file = pydicom.dcmread(segmentation)
    file.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness = 1e-12
    file.save_as(segmentation)
    with pytest.raises(VolumeError, match=r"takes about .* of memory"):
        read_dicom_segmentation(segmentation)


def test_spoilt_files_are_read_or_refused(segmentation):
    content = segmentation.read_bytes()
    generator = random.Random(0)
    refused = 0
    for _ in range(100):
        segmentation.write_bytes(generator.choice((spoil_dicom_elements, *BYTES))(content, generator))
        try:
            read_dicom_segmentation(segmentation)
        except AIDEError:
            refused += 1
    assert refused > 10
