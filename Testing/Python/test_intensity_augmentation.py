import torch

from AIDELib.intensity_augmentation import perturb_intensity


def images():
    return torch.randn(6, 2, 16, 16, generator=torch.Generator().manual_seed(3))


def test_strength_0_changes_nothing():
    assert torch.equal(perturb_intensity(images(), 0.0, torch.Generator()), images())


def test_each_sample_changes_otherwise_and_the_same_chance_does_the_same():
    first = perturb_intensity(images(), 0.5, torch.Generator().manual_seed(1))
    again = perturb_intensity(images(), 0.5, torch.Generator().manual_seed(1))
    other = perturb_intensity(images(), 0.5, torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    same = images()[:1].expand(6, 2, 16, 16)
    changed = perturb_intensity(same.contiguous(), 0.5, torch.Generator().manual_seed(1))
    assert len({tuple(sample.flatten().tolist()) for sample in changed}) == 6


def test_brightness_order_is_kept_and_values_stay_finite():
    ramp = torch.linspace(-2, 2, 256).view(1, 1, 16, 16).repeat(8, 1, 1, 1)
    changed = perturb_intensity(ramp, 1.0, torch.Generator().manual_seed(0))
    assert torch.isfinite(changed).all()
    middle_rows = changed[:, 0, 2:-2, 8]
    assert (middle_rows.diff(dim=1) > 0).all()


def test_a_constant_image_is_no_difficulty():
    assert torch.isfinite(perturb_intensity(torch.zeros(4, 1, 16, 16), 1.0, torch.Generator())).all()
