import itertools

import pytest
import torch

from AIDELib.errors import SettingsError
from AIDELib.multi_stream_unet import MultiStreamUNet
from AIDELib.networks import create_network


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("classes", [2, 5])
def test_any_number_of_channels_and_classes(channels, classes):
    network = MultiStreamUNet(channels, classes, 2).eval()
    assert network(torch.zeros(2, channels, 32, 48)).shape == (2, classes, 32, 48)


def test_size_of_the_published_network():
    # One channel is the plain U-Net with bilinear enlargement; counted by hand from the widths 32 to 512:
    # two 3x3 convolutions a level, (reduce, merge) a decoder level, two batch-norm values a map, the 1x1 classifier.
    widths = [32, 64, 128, 256, 512]
    encoder = sum(9 * (before * own + own * own) + 4 * own for before, own in zip([1, *widths], widths, strict=False))
    decoder = sum(9 * (above * own + 2 * own * own + own * own) + 6 * own for own, above in itertools.pairwise(widths))
    parameters = sum(parameter.numel() for parameter in MultiStreamUNet(1, 2, 32).parameters())
    assert parameters == encoder + decoder + 2 * 32 + 2


def test_only_the_leading_stream_reads_the_other_channels():
    network = MultiStreamUNet(2, 2, 2).eval()
    seen = {}
    for stream in range(2):
        network.levels[4][stream].register_forward_hook(
            lambda module, inputs, output, stream=stream: seen.update({stream: output.detach().clone()})
        )
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(1, 2, 32, 32, generator=generator)
    network(images)
    before = dict(seen)
    changed = images.clone()
    changed[:, 0] += torch.randn(1, 32, 32, generator=generator)
    network(changed)
    assert torch.equal(before[1], seen[1])
    assert not torch.equal(before[0], seen[0])
    changed = images.clone()
    changed[:, 1] += torch.randn(1, 32, 32, generator=generator)
    network(changed)
    assert not torch.equal(before[0], seen[0])
    assert not torch.equal(before[1], seen[1])


def test_an_unknown_network_is_named_with_those_that_are_known():
    with pytest.raises(SettingsError, match=r"no network 'vgg'. Known networks are: .*multi-stream-unet"):
        create_network("vgg", 1, 2, 8)


def test_the_leaky_network_begins_with_the_background_and_has_no_dead_features():
    torch.manual_seed(0)
    network = create_network("leaky-multi-stream-unet", 1, 3, 4)
    images = torch.randn(4, 1, 32, 32)
    assert network(images).softmax(dim=1)[:, 1:].mean() < 0.05
    assert not any(isinstance(module, torch.nn.ReLU) for module in network.modules())
    paper = create_network("multi-stream-unet", 1, 3, 4)
    assert paper.state_dict().keys() == network.state_dict().keys()
    assert paper(images).softmax(dim=1)[:, 1:].mean() > 0.2
