"""Series that ITK would read as a volume without a word, but in wrong places."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from AIDELib.errors import VolumeError
from AIDELib.volume import read_grid, read_image
from Testing.dicom_files import write_series

OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])[:, [1, 2, 0]]


@pytest.fixture
def series(tmp_path):
    """Return a function that writes slices at these heights along the stack, in this order of their numbers."""

    def write(heights, direction=OBLIQUE, spacing=(0.7, 0.8, 3.0)):
        array = np.stack([np.full((4, 5), height) for height in heights])
        for index, file in enumerate(write_series(tmp_path / "s", array, spacing, (1.0, 2.0, 3.0), direction)):
            position = np.array([1.0, 2.0, 3.0]) + direction[:, 2] * heights[index]
            change(tmp_path / "s" / f"{index:03d}.dcm", ImagePositionPatient=[round(float(one), 6) for one in position])
            assert file.InstanceNumber == index + 1
        return tmp_path / "s"

    return write


def change(path, **values) -> None:
    file = pydicom.dcmread(path)
    for name, value in values.items():
        if value is None:
            delattr(file, name)
        else:
            setattr(file, name, value)
    file.save_as(path)


def refusal(folder) -> str:
    with pytest.raises(VolumeError) as caught:
        read_image(folder)
    with pytest.raises(VolumeError):
        read_grid(folder)
    return str(caught.value)


def test_an_even_stack_is_read_in_its_order_in_space(series):
    image = read_image(series([6, 0, 9, 3]))
    assert sitk.GetArrayFromImage(image)[:, 0, 0].tolist() == [0, 3, 6, 9]
    assert image.GetSpacing() == pytest.approx((0.7, 0.8, 3.0))


def test_a_missing_slice(series):
    message = refusal(series([0, 3, 6, 12, 15, 18, 21]))
    assert "mostly 3 mm, but not 002.dcm at 8.00 mm and 003.dcm at 14.00 mm" in message
    assert "Fetch the slices that are missing" in message


def test_two_acquisitions_in_one_series(series):
    message = refusal(series([0, 3, 6, 9, 0, 3, 6, 9]))
    assert "4 of 8 images" in message
    assert "such as 000.dcm and 004.dcm at 2.00 mm" in message
    assert "put the images of each into a folder of its own" in message


def test_two_slices_at_one_place(series):
    assert "1 of 2 images" in refusal(series([5, 5]))


@pytest.mark.parametrize(
    ("heights", "spacing"),
    [([0, 3.02, 5.99, 9.01], 3.0), ([0, 1.2, 2.5, 3.8, 5.0], 1.25), ([0, 0.33, 0.67, 1.0], 0.33)],
)
def test_rounded_positions_are_no_fault(series, heights, spacing):
    image = read_image(series(heights, spacing=(1.0, 1.0, spacing)))
    assert image.GetSpacing()[2] == pytest.approx(heights[-1] / (len(heights) - 1), abs=1e-3)


def test_a_localizer_of_several_planes(series):
    folder = series([0, 3, 6])
    change(folder / "001.dcm", ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    message = refusal(folder)
    assert "001.dcm" in message
    assert "of one DICOM series are turned against each other (a localizer" in message


def test_a_tilted_gantry(series):
    folder = series([0, 3, 6], direction=np.eye(3))
    for index in range(3):
        change(folder / f"{index:03d}.dcm", ImagePositionPatient=[0.0, 0.5 * index, 3.0 * index])
    assert "002.dcm of the DICOM series stands 1.00 mm beside 000.dcm" in refusal(folder)


def test_images_without_positions_are_read_by_their_numbers(series):
    folder = series([0, 3, 12])
    for file in folder.iterdir():
        change(file, ImagePositionPatient=None)
    assert sitk.GetArrayFromImage(read_image(folder))[:, 0, 0].tolist() == [0, 3, 12]


def test_one_image_without_a_position(series):
    folder = series([0, 3, 6])
    change(folder / "001.dcm", ImagePositionPatient=None)
    assert "001.dcm does not tell its position" in refusal(folder)


def test_one_file_of_many_frames_is_read_as_it_is(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    array = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    image = sitk.GetImageFromArray(array)
    image.SetMetaData("0020|000e", "1.2.3")
    sitk.WriteImage(image, str(folder / "frames.dcm"))
    for path in (folder / "frames.dcm", tmp_path / "s#0"):
        assert sitk.GetArrayFromImage(read_image(path)).tolist() == array.tolist()
