import gzip
import re

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import BALL, make_image

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.case_volumes import read_case
from AIDELib.dataset import Dataset
from AIDELib.errors import VolumeError
from AIDELib.structure import Structure

OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])


def write(folder, name, array, **geometry):
    path = folder / name
    sitk.WriteImage(make_image(array, **geometry), str(path))
    return path


def read(images, label=None, structures=(BALL,)):
    quality = LabelQuality.UNLABELLED if label is None else LabelQuality.HQA
    case = Case("Anna", tuple(images), label, quality, Split.TRAIN)
    names = tuple(f"channel {index}" for index in range(max(1, len(images))))
    return read_case(case, Dataset(names, structures, (case,)))


def message_of(*arguments, **named):
    with pytest.raises(VolumeError) as caught:
        read(*arguments, **named)
    assert str(caught.value).startswith("Case 'Anna': ")
    return str(caught.value)


def ramp(shape=(2, 3, 4)):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_channels_on_another_grid_are_resampled_onto_the_first(tmp_path):
    geometry = {"spacing": (1.0, 2.0, 3.0), "direction": OBLIQUE, "origin": (5.0, -7.0, 9.0)}
    first = write(tmp_path, "a.nrrd", ramp(), **geometry)
    # The same voxels stored back to front along x: another grid, the same image in space.
    image = sitk.Flip(sitk.ReadImage(str(first)), (True, False, False))
    sitk.WriteImage(image, str(tmp_path / "b.nrrd"))
    volumes = read([first, tmp_path / "b.nrrd"])
    assert np.allclose(sitk.GetArrayFromImage(volumes.channels[1]), ramp(), atol=1e-4)
    assert volumes.channels[1].GetDirection() == volumes.channels[0].GetDirection()


def test_label_values_become_structure_indices_and_several_values_one_structure(tmp_path):
    image = write(tmp_path, "a.nii.gz", ramp((1, 2, 4)))
    label = write(tmp_path, "l.nii.gz", np.array([[[0, 126, 189, 63], [0, 0, 63, 99]]], np.uint8))
    structures = (Structure("liver", (63,), (0, 0, 0)), Structure("kidneys", (126, 189), (0, 0, 0)))
    labels = sitk.GetArrayFromImage(read([image], label, structures).label)
    assert labels.tolist() == [[[0, 2, 2, 1], [0, 0, 1, 0]]]


def test_label_on_another_grid_keeps_its_place_in_space(tmp_path):
    image = write(tmp_path, "a.nii.gz", ramp((1, 4, 4)))
    label = write(tmp_path, "l.nii.gz", np.full((1, 2, 2), 5, np.uint8), origin=(2.0, 1.0, 0.0))
    labels = sitk.GetArrayFromImage(read([image], label).label)
    assert labels.tolist() == [[[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]]


def test_two_dimensional_images_and_labels(tmp_path):
    image = write(tmp_path, "a.nii.gz", ramp((3, 4)))
    label = write(tmp_path, "l.png", np.array([[0, 5, 0, 0], [0, 5, 5, 0], [0, 0, 0, 0]], np.uint8))
    volumes = read([image], label)
    assert volumes.label.GetDimension() == 2
    assert sitk.GetArrayFromImage(volumes.label).sum() == 3


def test_a_2d_label_of_a_one_slice_volume(tmp_path):
    image = write(tmp_path, "a.nii.gz", ramp((1, 2, 2)))
    label = write(tmp_path, "l.nii.gz", np.array([[5, 0], [0, 5]], np.uint8))
    assert sitk.GetArrayFromImage(read([image], label).label).tolist() == [[[1, 0], [0, 1]]]


def test_segments_are_found_by_name_whatever_their_value(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp((1, 2, 2)))
    segmentation = make_image(np.array([[[1, 2], [0, 2]]], np.uint8))
    for key, value in {
        "Segment0_Name": "tumour",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segment1_Name": "Ball",
        "Segment1_LabelValue": "2",
        "Segment1_Layer": "0",
    }.items():
        segmentation.SetMetaData(key, value)
    sitk.WriteImage(segmentation, str(tmp_path / "s.seg.nrrd"))
    labels = sitk.GetArrayFromImage(read([image], tmp_path / "s.seg.nrrd").label)
    assert labels.tolist() == [[[0, 1], [0, 1]]]


def test_overlapping_segments_lie_in_layers(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp((1, 1, 3)))
    layers = sitk.GetImageFromArray(np.array([[[[1, 1], [1, 0], [0, 1]]]], np.uint8), isVector=True)
    for index, name in enumerate(("organ", "ball")):
        layers.SetMetaData(f"Segment{index}_Name", name)
        layers.SetMetaData(f"Segment{index}_LabelValue", "1")
        layers.SetMetaData(f"Segment{index}_Layer", str(index))
    sitk.WriteImage(layers, str(tmp_path / "s.seg.nrrd"))
    structures = (Structure("organ", (1,), (0, 0, 0)), BALL)
    # The later structure lies on top, as the tumour in the organ does.
    assert sitk.GetArrayFromImage(read([image], tmp_path / "s.seg.nrrd", structures).label).tolist() == [[[2, 1, 2]]]


def test_unreadable_file(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"this is no image")
    assert "a.nii.gz cannot be read as an image" in message_of([tmp_path / "a.nii.gz"])


def test_a_compressed_file_that_is_cut_off_or_damaged(tmp_path):
    whole = write(tmp_path, "a.nii.gz", np.random.default_rng(0).normal(size=(8, 16, 16)).astype(np.float32))
    data = whole.read_bytes()
    assert read([whole]).channels[0].GetSize() == (16, 16, 8)
    for name, damaged in (
        ("cut", data[: len(data) // 2]),
        ("flipped", data[:4000] + bytes([data[4000] ^ 255]) + data[4001:]),
        ("sum", data[:-8] + bytes(8)),
        # Whole as a gzip file, but not all of the image.
        ("short", gzip.compress(gzip.decompress(data)[:-1000])),
    ):
        path = tmp_path / f"{name}.nii.gz"
        path.write_bytes(damaged)
        assert f"{name}.nii.gz" in message_of([path])
        assert re.search("anew|complete", message_of([path]))
    # What is not compressed in spite of its name, or has something behind it, is read as it always was.
    plain, longer = tmp_path / "plain.nii.gz", tmp_path / "longer.nii.gz"
    plain.write_bytes(gzip.decompress(data))
    longer.write_bytes(data + b"something else")
    for path in (plain, longer):
        assert np.array_equal(*(sitk.GetArrayFromImage(read([one]).channels[0]) for one in (path, whole)))


def test_a_label_all_of_which_lies_beside_the_image(tmp_path):
    # The grids overlap in the label's empty corner alone.
    image = write(tmp_path, "a.nii.gz", ramp((1, 4, 4)))
    array = np.zeros((1, 4, 4), np.uint8)
    array[0, 3, 3] = 5
    label = write(tmp_path, "l.nii.gz", array, origin=(2.0, 2.0, 0.0))
    assert "labels nothing within the image" in message_of([image], label)


def test_a_label_of_fractions(tmp_path):
    image = write(tmp_path, "a.nii.gz", ramp((1, 2, 2)))
    label = write(tmp_path, "l.nii.gz", np.array([[[0, 5], [4.5, 5]]], np.float32))
    assert "no whole numbers (4.5 for one)" in message_of([image], label)


def test_missing_file(tmp_path):
    assert "There is no file" in message_of([tmp_path / "a.nii.gz"])


def test_non_finite_voxels(tmp_path):
    array = ramp()
    array[0, 0, 0], array[1, 1, 1] = np.nan, np.inf
    assert "has 2 voxels that are not finite numbers" in message_of([write(tmp_path, "a.nrrd", array)])


def test_colour_image(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((4, 4, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.png"))
    assert "has 3 values per voxel" in message_of([tmp_path / "a.png"])


def test_channels_that_lie_apart(tmp_path):
    first = write(tmp_path, "a.nrrd", ramp())
    second = write(tmp_path, "b.nrrd", ramp(), origin=(500.0, 0.0, 0.0))
    message = message_of([first, second])
    assert "channel channel 1" in message
    assert "do not overlap in space" in message


def test_channels_of_different_dimension(tmp_path):
    first = write(tmp_path, "a.nrrd", ramp())
    assert "is 2D, but the first channel" in message_of([first, write(tmp_path, "b.nrrd", ramp((3, 4)))])


def test_label_that_lies_apart(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp())
    label = write(tmp_path, "l.nrrd", np.full((2, 3, 4), 5, np.uint8), origin=(0.0, 0.0, 90.0))
    assert "lies nowhere on the image (4 x 3 x 2 voxels of 1 x 1 x 1 mm)" in message_of([image], label)


def test_label_without_a_listed_value(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp((1, 2, 2)))
    label = write(tmp_path, "l.nrrd", np.array([[[0, 1], [1, 255]]], np.uint8))
    message = message_of([image], label)
    assert "holds none of the label values of the dataset's structures (ball: 5); it holds 1, 255." in message


def test_an_empty_label_is_no_error(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp((1, 2, 2)))
    label = write(tmp_path, "l.nrrd", np.zeros((1, 2, 2), np.uint8))
    assert not sitk.GetArrayFromImage(read([image], label).label).any()


def test_segmentation_without_a_listed_segment(tmp_path):
    image = write(tmp_path, "a.nrrd", ramp((1, 2, 2)))
    segmentation = make_image(np.ones((1, 2, 2), np.uint8))
    segmentation.SetMetaData("Segment0_Name", "tumour")
    segmentation.SetMetaData("Segment0_LabelValue", "1")
    sitk.WriteImage(segmentation, str(tmp_path / "s.seg.nrrd"))
    assert "has the segments tumour, none of which is one of the dataset's structures (ball)" in message_of(
        [image], tmp_path / "s.seg.nrrd"
    )


def test_one_channel_of_a_4d_file(tmp_path):
    stack = sitk.JoinSeries([make_image(ramp()), make_image(ramp() + 100)])
    sitk.WriteImage(stack, str(tmp_path / "a.nii.gz"))
    volumes = read([tmp_path / "a.nii.gz#0", tmp_path / "a.nii.gz#1"])
    assert np.array_equal(sitk.GetArrayFromImage(volumes.channels[1]), ramp() + 100)
    assert "names channel 2, but the file has 2" in message_of([tmp_path / "a.nii.gz#2"])
    assert "is 4-dimensional" in message_of([tmp_path / "a.nii.gz"])


def write_dicom_series(folder, array, names, spacing=(2.0, 2.0, 5.0), series="1"):
    """Write slices as DICOM files; the slice of names[z] lies at height z."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for z, name in enumerate(names):
        image = make_image(array[z].astype(np.int16), spacing[:2])
        image = sitk.JoinSeries([image])
        for tag, value in {
            "0008|0060": "MR",
            "0020|000e": f"1.2.3.{series}",
            "0020|000d": "1.2.3",
            "0008|0018": f"1.2.3.{series}.{z}",
            "0020|0032": f"0\\0\\{z * spacing[2]}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(z),
        }.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{name}.dcm"))
        writer.Execute(image)


def test_png_slices_belong_to_the_dicom_files_of_their_name(tmp_path):
    array = np.arange(3 * 4 * 4).reshape(3, 4, 4)
    # File names run against the order in space.
    write_dicom_series(tmp_path / "in", array, ["IMG-3", "IMG-2", "IMG-1"])
    write_dicom_series(tmp_path / "out", array + 100, ["OUT-1", "OUT-2", "OUT-3"], series="2")
    (tmp_path / "truth").mkdir()
    for z, name in enumerate(["IMG-3", "IMG-2", "IMG-1"]):
        label = np.zeros((4, 4), np.uint8)
        label[0, z] = 5
        sitk.WriteImage(sitk.GetImageFromArray(label), str(tmp_path / "truth" / f"{name}.png"))
    # The names are those of the second channel here.
    volumes = read([tmp_path / "out", tmp_path / "in"], tmp_path / "truth")
    assert sitk.GetArrayFromImage(volumes.channels[0])[2, 3, 3] == 147
    assert np.argwhere(sitk.GetArrayFromImage(volumes.label)).tolist() == [[0, 0, 0], [1, 0, 1], [2, 0, 2]]
    assert volumes.label.GetSpacing() == pytest.approx((2.0, 2.0, 5.0))

    (tmp_path / "truth" / "IMG-2.png").rename(tmp_path / "truth" / "IMG-7.png")
    message = message_of([tmp_path / "in", tmp_path / "out"], tmp_path / "truth")
    assert "no PNG for IMG-2; no DICOM file for IMG-7" in message


def test_folder_with_two_series(tmp_path):
    write_dicom_series(tmp_path / "mixed", np.zeros((2, 4, 4)), ["a", "b"], series="1")
    write_dicom_series(tmp_path / "mixed", np.zeros((3, 4, 4)), ["c", "d", "e"], series="2")
    assert "holds 2 DICOM series" in message_of([tmp_path / "mixed"])


def test_folder_without_images(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "holds no DICOM images" in message_of([tmp_path / "empty"])
