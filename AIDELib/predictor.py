"""Volumes in, label and probability volumes out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from AIDELib.device import precision_on
from AIDELib.errors import ModelError, VolumeError
from AIDELib.label_pass import slices_per_batch
from AIDELib.memory_thrift import is_out_of_memory
from AIDELib.model import Model
from AIDELib.padding import centred_placement, padded_size
from AIDELib.postprocessing import keep_largest_components
from AIDELib.settings import Precision
from AIDELib.slicing import SlicePlan, assemble, cut_image, is_too_flat


@dataclass(frozen=True)
class Prediction:
    """What a model says about one examination, on the grid of the first channel.

    Attributes:
        labels: uint8, 0 background, i + 1 = structure i.
        probabilities: float32, 0 to 1, one volume per structure.
    """

    labels: sitk.Image
    probabilities: tuple[sitk.Image, ...]


@dataclass(frozen=True)
class _Plane:
    """The networks that see slices of one plan."""

    plan: SlicePlan
    networks: tuple[nn.Module, ...]


class Predictor:
    """A model ready to segment on a device.

    Args:
        model: the model.
        device: where it computes.
        precision: arithmetic of the networks.
        largest_component: whether each structure's largest component alone is kept; None for what the model says.

    Raises:
        ModelError: the model's network is unknown or its weights do not fit.
    """

    def __init__(
        self,
        model: Model,
        device: torch.device,
        precision: Precision = Precision.AUTO,
        largest_component: bool | None = None,
    ) -> None:
        self.description = model.description
        self._device = device
        self.precision = precision_on(device, precision)
        self._largest_component = (
            model.description.largest_component if largest_component is None else largest_component
        )
        self._members = tuple(
            (network, model.description.plan_of(index)) for index, network in enumerate(model.create_networks(device))
        )

    def apart(self) -> tuple[Predictor, ...]:
        """Return one predictor for each network of the model: how far they differ tells how sure the model is."""
        predictors = []
        for member in self._members:
            alone = copy.copy(self)
            alone._members = (member,)
            predictors.append(alone)
        return tuple(predictors)

    def predict(
        self, channels: Sequence[sitk.Image], observe: Callable[[float], None] = lambda share: None
    ) -> Prediction:
        """Segment one examination: the mean of what the networks say, on the grid of the first channel.

        Args:
            channels: one image per channel of the model, 2D or 3D, all on one grid.
            observe: called with the share done, 0 to 1; may raise to cancel.

        Raises:
            ModelError: the number of images is not that of the model's channels.
            VolumeError: the memory of the device is not enough for a single slice.
        """
        names = self.description.channels
        if len(channels) != len(names):
            raise ModelError(
                f"The model needs {len(names)} image(s) in this order: {', '.join(names)}; {len(channels)} given."
            )
        probabilities = self._mean_of_planes(channels, observe)
        labels = np.argmax(probabilities, axis=0).astype(np.uint8)
        if self._largest_component:
            labels = keep_largest_components(labels, len(self.description.structures))
        return Prediction(
            _image_on_grid(labels, channels[0]), tuple(_image_on_grid(own, channels[0]) for own in probabilities[1:])
        )

    def _mean_of_planes(self, channels: Sequence[sitk.Image], observe: Callable[[float], None]) -> NDArray[np.float32]:
        """Return the probabilities (C, Z, Y, X), or (C, Y, X), on the grid of the first channel; networks count alike."""
        mean = np.zeros((len(self.description.structures) + 1, *reversed(channels[0].GetSize())), np.float32)
        planes = self._planes_for(channels[0])
        total = sum(len(plane.networks) for plane in planes)
        done = 0
        for plane in planes:
            count = len(plane.networks)
            volumes = self._class_volumes(plane, channels, _observing(observe, done, count, total))
            done += count
            for own, volume in zip(mean, volumes, strict=True):
                # A running mean: with one plane it is that plane's probabilities, to the last bit.
                own += (volume - own) * (count / done)
        return mean

    def _planes_for(self, image: sitk.Image) -> list[_Plane]:
        """Return the networks by plane, without planes that show hardly anything of a flat image where others show more."""
        networks: dict[SlicePlan, list[nn.Module]] = {}
        for network, plan in self._members:
            networks.setdefault(plan, []).append(network)
        planes = [_Plane(plan, tuple(own)) for plan, own in networks.items()]
        return [plane for plane in planes if not is_too_flat(image, plane.plan)] or planes

    def _class_volumes(
        self, plane: _Plane, channels: Sequence[sitk.Image], observe: Callable[[float], None]
    ) -> Iterator[NDArray[np.float32]]:
        """Yield class after class what the networks of one plane say, on the grid of the first channel."""
        slices = self._predict_slices(
            np.stack([cut_image(channel, plane.plan) for channel in channels], axis=1), plane, observe
        )
        for index in range(slices.shape[1]):
            yield sitk.GetArrayFromImage(assemble(slices[:, index], channels[0], plane.plan))

    def _predict_slices(
        self, stack: NDArray[np.float32], plane: _Plane, observe: Callable[[float], None]
    ) -> NDArray[np.float32]:
        """Return the probabilities (Z, C, H, W) of slices (Z, M, H, W)."""
        size = stack.shape[2:]
        edges = padded_size(size, plane.plan.size)
        placement = centred_placement(size, edges)
        padded = torch.zeros(*stack.shape[:2], *edges)
        padded[:, :, *placement] = torch.from_numpy(stack)
        batch_size = slices_per_batch(*edges, self._device)
        parts: list[Tensor] = []
        start = 0
        while start < len(padded):
            observe(start / len(padded))
            try:
                parts.append(
                    self._mean_probabilities(padded[start : start + batch_size].to(self._device), plane.networks).cpu()
                )
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if batch_size == 1:
                    raise VolumeError(
                        f"The memory of the device is not enough for slices of {edges[1]} x {edges[0]} pixels; choose the "
                        "device cpu, or a model trained with a smaller slice_size."
                    ) from None
                batch_size //= 2
                continue
            start += batch_size
        observe(1.0)
        return torch.cat(parts)[:, :, *placement].numpy()

    def _mean_probabilities(self, images: Tensor, networks: Sequence[nn.Module]) -> Tensor:
        images = images.contiguous(memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, self.precision is Precision.BFLOAT16),
        ):
            return torch.stack([network(images).float().softmax(dim=1) for network in networks]).mean(dim=0)


def _observing(observe: Callable[[float], None], done: int, count: int, network_count: int) -> Callable[[float], None]:
    """Return what observes the share of `count` networks, where `done` of all networks are done already."""
    return lambda share: observe((done + share * count) / network_count)


def _image_on_grid(array: NDArray[np.generic], reference: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(reference)
    return image
