import torch

from AIDELib.presets import PAPER
from AIDELib.strong_view import StrongView

LABELS = torch.randint(0, 3, (4, 16, 16), generator=torch.Generator().manual_seed(5)).to(torch.uint8)
IMAGES = LABELS.unsqueeze(1).float()


def view_of(distorted, **changes):
    return StrongView.draw(IMAGES, torch.tensor(distorted), PAPER.replace(**changes), torch.Generator().manual_seed(2))


def test_samples_that_are_not_to_be_distorted_stay_as_they_are():
    view = view_of(
        [False, True, False, True], consistency_rotation=40.0, consistency_intensity=1.0, consistency_mixing=1.0
    )
    for sample in (0, 2):
        assert torch.equal(view.images[sample], IMAGES[sample])
        assert torch.equal(view.of_labels(LABELS)[sample], LABELS[sample])
    for sample in (1, 3):
        assert not torch.equal(view.images[sample], IMAGES[sample])
        assert not torch.equal(view.of_labels(LABELS)[sample], LABELS[sample])


def test_labels_go_where_the_images_go():
    view = view_of([True] * 4, consistency_mixing=1.0)
    # Without a change of intensity or an interpolation the images are the labels.
    assert torch.equal(view.of_labels(LABELS), view.images[:, 0].round().to(torch.uint8))
    assert not torch.equal(view.of_labels(LABELS), LABELS)


def test_what_a_rotation_brings_in_from_outside_has_no_label_and_no_weight():
    view = view_of([True] * 4, consistency_rotation=45.0)
    weights = view.of_labels(torch.ones(4, 16, 16))
    assert (weights == 0).any()
    assert (view.of_labels(LABELS)[weights == 0] == 0).all()
