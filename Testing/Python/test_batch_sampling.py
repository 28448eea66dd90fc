import torch

from AIDELib.batch_sampling import epoch_batches


def batches(trusted, others, size, power, iterations):
    return list(epoch_batches(trusted, others, size, power, iterations, torch.Generator().manual_seed(0)))


def test_every_slice_comes_once_before_any_comes_twice():
    drawn = batches([0, 1], [2, 3, 4, 5], 2, 1.0, 6)
    flat = [index for batch in drawn for index in batch]
    assert sorted(flat[:6]) == sorted(flat[6:]) == [0, 1, 2, 3, 4, 5]


def test_an_epoch_without_a_given_length_is_one_pass():
    assert len(batches([], list(range(10)), 4, 1.0, 0)) == 2
    assert len(batches([], [0], 4, 1.0, 0)) == 1


def test_few_trusted_slices_are_drawn_more_often_than_they_occur():
    # A 25th of the slices, a fifth of the batch.
    drawn = batches([0, 1], list(range(2, 50)), 10, 0.5, 20)
    assert all(sum(index < 2 for index in batch) == 2 for batch in drawn)
    assert len({index for batch in drawn for index in batch}) == 50


def test_many_trusted_slices_are_never_drawn_less_often_than_they_occur():
    # 9 of 16 slices: 3 quarters of the batch.
    drawn = batches(list(range(9)), list(range(9, 16)), 8, 0.5, 20)
    assert all(sum(index < 9 for index in batch) == 6 for batch in drawn)


def test_a_single_trusted_slice_among_many_is_drawn_twice():
    assert all(batch.count(0) == 2 for batch in batches([0], list(range(1, 42)), 8, 0.5, 20))


def test_neither_kind_is_crowded_out_of_a_small_batch():
    assert all(min(batch) == 0 and max(batch) == 1 for batch in batches([0], [1], 2, 0.0, 3))
    assert all(min(batch) == 0 and max(batch) == 1 for batch in batches([0], [1], 2, 1.0, 3))


def test_same_generator_same_batches():
    assert batches([0, 1], [2, 3, 4], 3, 0.5, 5) == batches([0, 1], [2, 3, 4], 3, 0.5, 5)
