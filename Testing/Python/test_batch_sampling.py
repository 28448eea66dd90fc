import torch

from AIDELib.batch_sampling import epoch_batches


def batches(trusted, others, size, share, iterations):
    return list(epoch_batches(trusted, others, size, share, iterations, torch.Generator().manual_seed(0)))


def test_every_slice_comes_once_before_any_comes_twice():
    drawn = batches([0, 1], [2, 3, 4, 5], 2, 0.0, 6)
    flat = [index for batch in drawn for index in batch]
    assert sorted(flat[:6]) == sorted(flat[6:]) == [0, 1, 2, 3, 4, 5]


def test_an_epoch_without_a_given_length_is_one_pass():
    assert len(batches([], list(range(10)), 4, 0.0, 0)) == 2
    assert len(batches([], [0], 4, 0.0, 0)) == 1


def test_a_share_of_each_batch_is_trusted():
    drawn = batches([0, 1], list(range(2, 50)), 8, 0.25, 20)
    assert all(sum(index < 2 for index in batch) == 2 for batch in drawn)
    assert len({index for batch in drawn for index in batch}) == 50


def test_trusted_slices_that_are_the_most_are_drawn_as_often_as_they_occur():
    drawn = batches(list(range(30)), list(range(30, 40)), 8, 0.25, 20)
    assert all(sum(index < 30 for index in batch) == 6 for batch in drawn)


def test_neither_kind_is_crowded_out_of_a_small_batch():
    assert all(min(batch) == 0 and max(batch) == 1 for batch in batches([0], [1], 2, 0.01, 3))
    assert all(min(batch) == 0 and max(batch) == 1 for batch in batches([0], [1], 2, 1.0, 3))


def test_same_generator_same_batches():
    assert batches([0, 1], [2, 3, 4], 3, 0.5, 5) == batches([0, 1], [2, 3, 4], 3, 0.5, 5)
