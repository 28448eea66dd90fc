import numpy as np
import SimpleITK as sitk

from AIDELib.label_disagreement import Disagreement, largest_disagreement


def label(array, direction=None):
    image = sitk.GetImageFromArray(np.asarray(array, np.uint8))
    image.SetSpacing((2.0, 3.0, 5.0))
    image.SetOrigin((10.0, 20.0, 30.0))
    if direction:
        image.SetDirection(direction)
    return image


def test_equal_labels_have_none():
    assert largest_disagreement(label(np.ones((2, 3, 3))), label(np.ones((2, 3, 3)))) is None


def test_the_largest_area_of_the_slice_with_most_differences():
    first = np.zeros((3, 4, 6))
    second = first.copy()
    second[0, 0, :2] = 1
    second[2, 0, 0] = 1
    second[2, 2, 2:5] = 2
    assert largest_disagreement(label(first), label(second)) == Disagreement((10 + 2 * 3, 20 + 3 * 2, 30 + 5 * 2), 6)


def test_a_swapped_structure_counts_and_flipped_axes_are_followed():
    first, second = np.ones((1, 2, 3)), np.ones((1, 2, 3))
    second[0, 1, 2] = 2
    flipped = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    assert largest_disagreement(label(first, flipped), label(second, flipped)) == Disagreement((6, 23, 30), 1)


def test_the_point_of_a_ring_lies_on_it():
    first = np.zeros((1, 5, 5))
    second = first.copy()
    second[0] = 1
    second[0, 1:4, 1:4] = 0
    point = largest_disagreement(label(first), label(second)).point
    x, y, z = label(first).TransformPhysicalPointToIndex(point)
    assert second[z, y, x] == 1
