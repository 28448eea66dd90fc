"""What the segmentation of one volume costs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch

from AIDELib.model import Model
from AIDELib.model_description import ModelDescription
from AIDELib.networks import create_network
from AIDELib.predictor import Predictor
from AIDELib.settings import Settings
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.structure import Structure

# Shown in Settings.ensemble: AIDE's two networks predict together.
_ENSEMBLE = 2


@dataclass(frozen=True)
class PredictionCost:
    """What the segmentation of a volume cost.

    Attributes:
        precision: arithmetic of the networks.
        networks: that predict together.
        seconds: from the images to the label volume.
        cpu_seconds: of computing, added up over the threads.
    """

    precision: str
    networks: int
    seconds: float
    cpu_seconds: float


def measure_prediction(
    settings: Settings, edge: int, slices: int, channels: int, structures: int, device: torch.device
) -> PredictionCost:
    """Segment a random volume with the networks of the settings, with random weights.

    Args:
        edge: edge of the volume's slices in pixels.
        slices: number of its slices.
    """
    torch.manual_seed(settings.seed)
    count = _ENSEMBLE if settings.ensemble else 1
    description = ModelDescription(
        channels=tuple(f"channel {index + 1}" for index in range(channels)),
        structures=tuple(Structure(f"structure {index + 1}", (index + 1,), (255, 0, 0)) for index in range(structures)),
        plans=(SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), settings.normalization, (edge, edge)),),
        network=settings.network,
        width=settings.network_width,
        network_count=count,
        largest_component=settings.largest_component,
    )
    networks = (
        create_network(settings.network, channels, structures + 1, settings.network_width) for _ in range(count)
    )
    predictor = Predictor(Model(description, tuple(dict(network.state_dict()) for network in networks)), device)
    # What the libraries prepare for a first use is not part of any volume.
    predictor.predict(_random_volume(edge, 1, channels))
    volume = _random_volume(edge, slices, channels)
    wall, cpu = time.perf_counter(), time.process_time()
    predictor.predict(volume)
    return PredictionCost(predictor.precision.value, count, time.perf_counter() - wall, time.process_time() - cpu)


def _random_volume(edge: int, slices: int, channels: int) -> list[sitk.Image]:
    random = np.random.default_rng(0)
    images = [
        sitk.GetImageFromArray(random.standard_normal((slices, edge, edge)).astype(np.float32)) for _ in range(channels)
    ]
    for image in images:
        image.SetSpacing((1.0, 1.0, 3.0))
    return images
