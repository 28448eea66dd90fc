import torch

from AIDELib.slice_mixing import SliceMixing


def test_a_box_comes_from_the_partner_in_images_and_labels_alike():
    boxes = torch.zeros(2, 2, 3, dtype=torch.bool)
    boxes[0, 0, 1:] = True
    mixing = SliceMixing(torch.tensor([1, 0]), boxes)
    labels = torch.tensor([[[1, 1, 1], [1, 1, 1]], [[2, 2, 2], [2, 2, 2]]], dtype=torch.uint8)
    assert mixing.apply(labels).tolist() == [[[1, 2, 2], [1, 1, 1]], [[2, 2, 2], [2, 2, 2]]]
    images = torch.stack([labels, 10 * labels], dim=1).float()
    assert mixing.apply(images)[0].tolist() == [[[1, 2, 2], [1, 1, 1]], [[10, 20, 20], [10, 10, 10]]]


def test_boxes_have_the_share_of_the_slice_that_is_promised_and_lie_inside():
    mixing = SliceMixing.draw(200, 40, 64, 1.0, torch.Generator().manual_seed(0))
    shares = mixing.boxes.float().mean(dim=(1, 2))
    # Sides are cut down to whole pixels.
    assert 0.085 < shares.min() < 0.13
    assert 0.36 < shares.max() <= 0.4
    filled = mixing.boxes.any(dim=2).sum(dim=1) * mixing.boxes.any(dim=1).sum(dim=1)
    assert torch.equal(filled, mixing.boxes.sum(dim=(1, 2)))
    assert mixing.boxes.any(dim=0).float().mean() > 0.95
    assert sorted(mixing.partners.tolist()) == list(range(200))


def test_as_many_samples_are_mixed_as_was_asked_for():
    generator = torch.Generator().manual_seed(0)
    mixed = SliceMixing.draw(1000, 16, 16, 0.3, generator).boxes.any(dim=2).any(dim=1)
    assert abs(mixed.float().mean() - 0.3) < 0.05
    assert not SliceMixing.draw(10, 16, 16, 0.0, generator).boxes.any()
