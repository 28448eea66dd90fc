import numpy as np

from Testing.Benchmarks.domain_shift import DomainShift


def chance():
    return np.random.default_rng(3)


def ramp():
    return np.linspace(0, 100, 4 * 16 * 16).reshape(4, 16, 16)


def test_no_shift_only_clips_the_extremes():
    image = ramp()
    low, high = np.percentile(image, [0.5, 99.5])
    assert np.allclose(DomainShift().apply(image, chance()), np.clip(image, low, high), atol=1e-4)


def test_gamma_darkens_the_middle_and_keeps_order_and_range():
    image = ramp()
    darker = DomainShift(gamma=2).apply(image, chance())
    assert darker[2, 0, 0] < image[2, 0, 0]
    assert (np.diff(darker.ravel()) >= 0).all()
    assert np.isclose(darker.min(), np.percentile(image, 0.5))


def test_the_bias_field_is_smooth_and_stays_within_its_bound():
    image = np.where(np.indices((4, 16, 16))[2] % 2, 100.0, 50.0)
    biased = DomainShift(bias=0.3).apply(image, chance())
    bright = (biased[:, :, 1::2] - 50) / 50 - 1
    assert 0.05 < np.abs(bright).max() <= 0.3 + 1e-6
    assert np.abs(np.diff(bright, axis=1)).max() < 0.1


def test_blur_takes_detail_and_noise_adds_it():
    image = np.where(np.indices((2, 32, 32))[2] % 2, 100.0, 50.0)
    assert DomainShift(blur=1.0).apply(image, chance()).std() < 0.5 * image.std()
    noisy = DomainShift(noise=0.1).apply(image, chance()) - image
    assert np.isclose(noisy.std(), 0.1 * 50, rtol=0.1)


def test_an_image_of_one_grey_value_stays_as_it_is():
    assert (DomainShift(2, 0.3, 1, 0.1).apply(np.full((2, 4, 4), 7.0), chance()) == 7).all()
