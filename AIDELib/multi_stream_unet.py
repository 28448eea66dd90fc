"""The paper's network: a U-Net with one encoder stream per channel (paper, Supplementary Fig. 1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from AIDELib.doubling import Doubling

DOWN_SAMPLINGS = 4


class ConvolutionBlock(nn.Sequential):
    """3x3 convolution, batch normalisation, (leaky) ReLU."""

    def __init__(self, inputs: int, outputs: int, negative_slope: float) -> None:
        super().__init__(
            # The bias would be taken out again by the batch normalisation.
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(negative_slope, inplace=True) if negative_slope else nn.ReLU(inplace=True),
        )


class DoubleConvolution(nn.Sequential):
    """Two convolution blocks."""

    def __init__(self, inputs: int, outputs: int, negative_slope: float) -> None:
        super().__init__(
            ConvolutionBlock(inputs, outputs, negative_slope), ConvolutionBlock(outputs, outputs, negative_slope)
        )


class UpSampling(nn.Module):
    """Bilinear enlargement, convolution, concatenation with the skip connection, two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int, negative_slope: float) -> None:
        super().__init__()
        self.enlarge = Doubling()
        self.reduce = ConvolutionBlock(inputs, outputs, negative_slope)
        self.merge = DoubleConvolution(outputs + skip, outputs, negative_slope)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        return self.merge(torch.cat([skip, self.reduce(self.enlarge(features))], dim=1))


class MultiStreamUNet(nn.Module):
    """A U-Net whose encoder has one stream per channel; with one channel, a plain U-Net.

    At each level the leading stream (first channel) reads the features of all streams of the level above, the other
    streams only their own. All streams' features together are the skip connection.

    Args:
        channels: number of image channels M.
        classes: number of structures plus 1 for the background, C.
        width: feature maps per stream of the first level; each of the four levels below has twice as many.
        negative_slope: of the activation; 0 is the paper's ReLU. In a narrow network all features of the last level can be
            0 throughout a structure, which then teaches nothing any more; any other slope lets its gradient through.
        foreground_prior: probability of each structure before the training, between 0 and 1 / C; None for what chance
            gives. Structures fill little of most images; a network that starts from there need not first unlearn the rest.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int,
        negative_slope: float = 0.0,
        foreground_prior: float | None = None,
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(DOWN_SAMPLINGS + 1)]
        self.levels = nn.ModuleList(
            nn.ModuleList(
                DoubleConvolution(self._inputs(stream, level, channels, widths), widths[level], negative_slope)
                for stream in range(channels)
            )
            for level in range(DOWN_SAMPLINGS + 1)
        )
        self.pool = nn.MaxPool2d(2)
        skips = [channels * level_width for level_width in widths]
        decoder_outputs = [2 * level_width if channels > 1 else level_width for level_width in widths]
        decoder_inputs = [*decoder_outputs[1:-1], skips[-1]]
        self.decoder = nn.ModuleList(
            UpSampling(decoder_inputs[level], skips[level], decoder_outputs[level], negative_slope)
            for level in reversed(range(DOWN_SAMPLINGS))
        )
        self.classifier = nn.Conv2d(decoder_outputs[0], classes, 1)
        if foreground_prior is not None:
            background = 1 - (classes - 1) * foreground_prior
            with torch.no_grad():
                self.classifier.bias[0] += math.log(background / foreground_prior)  # type: ignore[index]

    @staticmethod
    def _inputs(stream: int, level: int, channels: int, widths: list[int]) -> int:
        if level == 0:
            return 1
        return (channels if stream == 0 else 1) * widths[level - 1]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, C, H, W) of images (B, M, H, W); H and W are multiples of 16."""
        features = list(images.split(1, dim=1))
        skips: list[Tensor] = []
        for level, blocks in enumerate(self.levels):
            if level:
                features = [self.pool(skips[-1]), *(self.pool(own) for own in features[1:])]
            assert isinstance(blocks, nn.ModuleList)
            features = [block(own) for block, own in zip(blocks, features, strict=True)]
            skips.append(torch.cat(features, dim=1))
        decoded = skips.pop()
        for up_sampling in self.decoder:
            decoded = up_sampling(decoded, skips.pop())
        return self.classifier(decoded)
