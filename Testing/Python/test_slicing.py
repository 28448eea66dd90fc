import numpy as np
import pytest
import SimpleITK as sitk
from case_files import make_image

from AIDELib.errors import SettingsError
from AIDELib.settings import Normalization, SlicePlane
from AIDELib.slicing import (
    SliceOrientation,
    SlicePlan,
    assemble,
    assemble_labels,
    choose_second_plan,
    choose_slice_plan,
    cut_image,
    cut_labels,
    turned,
)

ANGLES = (0.3, -0.2, 0.4)


def oblique(flips):
    rotation = sitk.Euler3DTransform()
    rotation.SetRotation(*ANGLES)
    return np.array(rotation.GetMatrix()).reshape(3, 3) @ np.diag(flips)


GRIDS = {
    "axial": ((6, 14, 10), (1.0, 0.8, 3.0), np.eye(3)),
    "coronal, anisotropic": ((12, 5, 16), (0.7, 2.5, 0.9), np.eye(3)),
    "sagittal, oblique, flipped": ((9, 11, 4), (3.0, 0.8, 0.9), oblique((-1, 1, -1))),
    "oblique": ((5, 9, 7), (1.0, 1.0, 4.0), oblique((1, 1, 1))),
    "flipped": ((4, 8, 8), (1.0, 1.0, 5.0), np.diag([-1, -1, 1])),
}


@pytest.mark.parametrize("name", GRIDS)
def test_slices_go_back_onto_the_volumes_own_grid(name):
    shape, spacing, direction = GRIDS[name]
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    image = make_image(array, spacing, (12.0, -30.0, 5.0), direction)
    plan = choose_slice_plan([image], 64, Normalization.VOLUME)
    assert plan.orientation.value == name.split(",")[0] or "," not in name
    back = assemble(cut_image(image, plan), image, plan)
    normalized = (array - array.mean()) / array.std()
    assert np.abs(sitk.GetArrayFromImage(back) - normalized).max() < 1e-4
    assert back.GetDirection() == image.GetDirection()
    labels = make_image((array > 0.5).astype(np.uint8), spacing, (12.0, -30.0, 5.0), direction)
    restored = assemble_labels(cut_labels(labels, plan), labels, plan, 2)
    assert np.array_equal(sitk.GetArrayFromImage(restored), array > 0.5)


def test_two_dimensional_image():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    image = make_image(array, (0.5, 2.0), (1.0, 2.0), np.diag([-1, -1]))
    plan = choose_slice_plan([image], 64, Normalization.SLICE)
    assert plan == SlicePlan(SliceOrientation.AXIAL, (0.5, 2.0), Normalization.SLICE, (16, 16))
    slices = cut_image(image, plan)
    assert slices.shape == (1, 3, 4)
    back = assemble(slices, image, plan)
    assert back.GetDimension() == 2
    assert np.allclose(sitk.GetArrayFromImage(back), (array - array.mean()) / array.std(), atol=1e-5)


def test_every_slice_is_padded_to_the_size_of_the_largest_training_slice():
    def image(columns, rows):
        return make_image(np.zeros((3, rows, columns), np.uint8), (1, 1, 4))

    assert choose_slice_plan([image(20, 45), image(33, 17)], 256, Normalization.SLICE).size == (48, 48)
    # Half as many pixels of twice the size: 40 become 20.
    assert choose_slice_plan([image(40, 24)], 32, Normalization.SLICE).size == (32, 32)
    assert choose_slice_plan([image(40, 24)], 16, Normalization.SLICE).size == (16, 16)


def test_slices_are_cut_across_the_thickest_axis_of_most_cases():
    def image(spacing, shape=(8, 8, 8)):
        return make_image(np.zeros(shape, np.uint8), spacing)

    plan = choose_slice_plan([image((1, 5, 1)), image((1, 4, 1)), image((1, 1, 3))], 256, Normalization.SLICE)
    assert plan.orientation is SliceOrientation.CORONAL
    assert plan.spacing == (1.0, 1.0)
    assert choose_slice_plan([image((1, 1, 1))], 256, Normalization.SLICE).orientation is SliceOrientation.AXIAL
    # One voxel thick counts as thickest, even where the header says 1 mm as in plane.
    one_slice = image((1, 1, 1), shape=(8, 1, 8))
    assert choose_slice_plan([one_slice], 256, Normalization.SLICE).orientation is SliceOrientation.CORONAL


def test_slices_are_cut_in_the_plane_that_is_wanted():
    image = make_image(np.zeros((4, 6, 8), np.uint8), (1.0, 2.0, 5.0))
    plan = choose_slice_plan([image], 256, Normalization.SLICE, SlicePlane.SAGITTAL)
    assert plan.orientation is SliceOrientation.SAGITTAL
    assert plan.spacing == (2.0, 5.0)
    assert cut_image(image, plan).shape == (8, 4, 6)


def test_a_single_slice_cannot_be_cut_in_another_plane():
    image = make_image(np.zeros((1, 6, 8), np.uint8), (1.0, 1.0, 1.0))
    assert choose_slice_plan([image], 256, Normalization.SLICE, SlicePlane.AXIAL).spacing == (1.0, 1.0)
    with pytest.raises(
        SettingsError, match=r"slice_plane is sagittal, but an image of 8 x 6 x 1 .* single axial slice"
    ):
        choose_slice_plan([image], 256, Normalization.SLICE, SlicePlane.SAGITTAL)


def second_orientation(spacing, shape=(16, 17, 18), plane=SlicePlane.AUTO):
    images = [make_image(np.zeros(shape, np.uint8), spacing)]
    second = choose_second_plan(images, 256, choose_slice_plan(images, 256, Normalization.VOLUME, plane))
    return second and second.orientation


def test_the_second_plane_is_another_one_where_voxels_are_nearly_cubes():
    assert second_orientation((1, 1, 1)) is SliceOrientation.SAGITTAL
    assert second_orientation((1, 1, 1), plane=SlicePlane.SAGITTAL) is SliceOrientation.AXIAL
    assert second_orientation((1, 1, 1), plane=SlicePlane.CORONAL) is SliceOrientation.AXIAL
    assert second_orientation((1, 1, 1.5)) is SliceOrientation.SAGITTAL
    assert second_orientation((1, 1, 1.6)) is None
    assert second_orientation((1, 1, 1), shape=(15, 17, 18)) is None
    assert second_orientation((1, 1, 1), shape=(1, 17, 18)) is None


def test_the_second_plane_has_the_normalization_and_the_spacing_of_the_images():
    images = [make_image(np.zeros((16, 40, 20), np.uint8), (1.0, 1.2, 1.4))]
    first = choose_slice_plan(images, 256, Normalization.VOLUME)
    assert choose_second_plan(images, 256, first) == SlicePlan(
        SliceOrientation.SAGITTAL, (1.2, 1.4), Normalization.VOLUME, (16, 48)
    )


@pytest.mark.parametrize("name", ["axial", "oblique", "flipped"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SliceOrientation.AXIAL, SliceOrientation.SAGITTAL),
        (SliceOrientation.SAGITTAL, SliceOrientation.AXIAL),
        (SliceOrientation.CORONAL, SliceOrientation.AXIAL),
        (SliceOrientation.SAGITTAL, SliceOrientation.CORONAL),
    ],
)
def test_turned_slices_are_those_that_are_cut_in_the_other_plane(name, one, other):
    shape, _, direction = GRIDS[name]
    labels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    image = make_image(labels, (1.0, 1.0, 1.0), (5.0, -3.0, 2.0), direction)
    plan, wanted = (SlicePlan(plane, (1.0, 1.0), Normalization.VOLUME, (16, 16)) for plane in (one, other))
    expected = cut_labels(image, wanted)
    assert np.array_equal(turned(cut_labels(image, plan), plan, wanted, expected.shape), expected)


def test_turned_slices_of_other_pixels_take_the_nearest_ones():
    axial = SlicePlan(SliceOrientation.AXIAL, (2.0, 1.0), Normalization.VOLUME, (16, 16))
    sagittal = SlicePlan(SliceOrientation.SAGITTAL, (1.0, 1.0), Normalization.VOLUME, (16, 16))
    stack = np.array([[[1, 2]], [[3, 4]]], np.uint8)  # z = 2, y = 1, x = 2
    result = turned(np.stack([stack, stack + 4]), axial, sagittal, (4, 2, 1))
    assert result[0].tolist() == [[[1], [3]], [[1], [3]], [[2], [4]], [[2], [4]]]
    assert result[1].tolist() == (result[0] + 4).tolist()


def test_turned_slices_move_to_neither_side_where_they_get_coarser():
    axial = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.VOLUME, (16, 16))
    coarse = SlicePlan(SliceOrientation.AXIAL, (2.0, 1.0), Normalization.VOLUME, (16, 16))
    row = np.arange(8, dtype=np.uint8).reshape(1, 1, 8)
    assert turned(row, axial, coarse, (1, 1, 4)).ravel().tolist() == [1, 3, 4, 6]
    assert turned(row[:, :, ::-1], axial, coarse, (1, 1, 4)).ravel().tolist() == [6, 4, 3, 1]


def test_in_plane_spacing_is_the_median_and_coarser_where_the_largest_image_would_not_fit():
    images = [make_image(np.zeros((2, 100, 50), np.uint8), (spacing, spacing, 9.0)) for spacing in (0.5, 1.0, 2.0)]
    assert choose_slice_plan(images, 208, Normalization.SLICE).spacing == (1.0, 1.0)
    # The third is 200 mm high: 200 / 64 = 3.125 mm.
    assert choose_slice_plan(images, 64, Normalization.SLICE).spacing == pytest.approx((3.125, 3.125))


def test_each_slice_is_normalized_and_a_slice_of_one_value_is_zero():
    array = np.stack([np.full((2, 2), 7.0), np.array([[0.0, 2.0], [0.0, 2.0]])]).astype(np.float32)
    plan = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.SLICE, (16, 16))
    slices = cut_image(make_image(array, (1.0, 1.0, 2.0)), plan)
    assert slices.tolist() == [[[0, 0], [0, 0]], [[-1, 1], [-1, 1]]]


def test_coarser_grid_keeps_the_label_in_place():
    array = np.zeros((3, 40, 40), np.uint8)
    array[:, 8:24, 12:32] = 1
    image = make_image(array, (0.5, 0.5, 4.0), (3.0, 2.0, 1.0), oblique((1, -1, 1)))
    plan = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.SLICE, (16, 16))
    slices = cut_labels(image, plan)
    assert slices.shape == (3, 20, 20)
    restored = sitk.GetArrayFromImage(assemble_labels(slices, image, plan, 2))
    overlap = 2 * (restored & array).sum() / (restored.sum() + array.sum())
    assert overlap > 0.95
    assert np.abs(np.argwhere(restored).mean(axis=0) - np.argwhere(array).mean(axis=0)).max() < 0.5
