"""How fast a machine trains, against the time that the arithmetic alone would take."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from AIDELib import timed_parts
from AIDELib.aide_method import AIDE
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.device import precision_on
from AIDELib.label_pass import predict_labels
from AIDELib.padding import EDGE_MULTIPLE
from AIDELib.seeding import derived_generator
from AIDELib.settings import Precision, Settings
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.stage import Stage, learning_rate


@dataclass(frozen=True)
class BenchmarkSize:
    """What is timed.

    Attributes:
        edge: slice edge in pixels.
        channels: image channels.
        structures: structures.
        iterations: timed iterations.
    """

    edge: int
    channels: int
    structures: int
    iterations: int


@dataclass(frozen=True)
class BenchmarkResult:
    """What was measured.

    Attributes:
        seconds_per_iteration: median.
        slices_per_second: batch size over that.
        parts: seconds of an iteration by part; what is in none of them is "other".
        label_pass_seconds_per_slice: of one network.
        operations: floating-point operations of an iteration.
        convolution_rate: operations per second of a convolution of the network's kind, measured in the same run.
        floor_seconds: operations over that rate.
        peak_memory_gb: of the process, or of the GPU where one computes.
    """

    seconds_per_iteration: float
    slices_per_second: float
    parts: dict[str, float]
    label_pass_seconds_per_slice: float
    operations: float
    convolution_rate: float
    floor_seconds: float
    peak_memory_gb: float


def run_benchmark(settings: Settings, size: BenchmarkSize, device: torch.device) -> BenchmarkResult:
    """Time AIDE iterations, at full consistency weight, on random slices."""
    stage = _create_stage(settings, size, device)
    # The epoch after the warm-up: from there on, suspected samples need pseudo-labels.
    epoch = settings.warm_up_epochs + 1

    def iterate() -> None:
        generator = derived_generator(settings.seed, epoch)
        indices = torch.randperm(len(stage.slices.images), generator=generator)[: settings.batch_size].tolist()
        losses = stage.method.losses(stage.learners, stage.batch(indices, generator), epoch, generator)
        for learner, loss in zip(stage.learners, losses, strict=True):
            learner.step(loss, learning_rate(settings, epoch, 0.5))

    # Operations are counted as they are started, which those of a recording are not.
    replaying = [learner.replays for learner in stage.learners]
    for learner in stage.learners:
        learner.replays = False
    with FlopCounterMode(display=False) as counter:
        iterate()
    for learner, replays in zip(stage.learners, replaying, strict=True):
        learner.replays = replays
    iterate()
    # Rate and iterations in turns, so that a machine whose speed drifts is measured alike in both.
    rates, seconds = [], []
    for _ in range(size.iterations):
        rates.append(measure_convolution_rate(settings, size, device))
        seconds.append(_seconds(iterate, device))
    per_iteration = float(np.median(seconds))
    rate = float(np.median(rates))
    operations = float(counter.get_total_flops())
    slice_count = len(stage.slices.images)
    label_pass = _seconds(lambda: predict_labels(stage.learners[0].predict, stage.slices, stage.clean), device)
    return BenchmarkResult(
        seconds_per_iteration=per_iteration,
        slices_per_second=settings.batch_size / per_iteration,
        parts=_parts(iterate, device, per_iteration),
        label_pass_seconds_per_slice=label_pass / slice_count,
        operations=operations,
        convolution_rate=rate,
        floor_seconds=operations / rate,
        peak_memory_gb=peak_memory_gb(device),
    )


def measure_convolution_rate(settings: Settings, size: BenchmarkSize, device: torch.device) -> float:
    """Return the operations per second of a 3x3 convolution of the network's third level, forward."""
    width = 4 * settings.network_width * (2 if size.channels > 1 else 1)
    dtype = torch.bfloat16 if precision_on(device, settings.precision) is Precision.BFLOAT16 else torch.float32
    generator = derived_generator(settings.seed, size.edge)
    images = torch.randn(settings.batch_size, width, size.edge // 4, size.edge // 4, generator=generator)
    images = images.to(device, dtype).contiguous(memory_format=torch.channels_last)
    weights = torch.randn(width, width, 3, 3, generator=generator).to(device, dtype)
    weights = weights.contiguous(memory_format=torch.channels_last)
    operations = 2 * 9 * width * width * images.shape[0] * images.shape[2] * images.shape[3]
    with torch.inference_mode():
        functional.conv2d(images, weights, padding=1)
        repeats = max(1, round(2e10 / operations))

        def convolve() -> None:
            for _ in range(repeats):
                functional.conv2d(images, weights, padding=1)

        return repeats * operations / min(_seconds(convolve, device) for _ in range(3))


def peak_memory_gb(device: torch.device) -> float:
    """Return the peak memory of the GPU, or of this process, in GB; NaN where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


def _create_stage(settings: Settings, size: BenchmarkSize, device: torch.device) -> Stage:
    random = np.random.default_rng(settings.seed)
    count = 2 * settings.batch_size
    case = Case("benchmark", (Path("image"),) * size.channels, Path("label"), LabelQuality.LQA, Split.TRAIN)
    images = random.standard_normal((count, size.channels, size.edge, size.edge)).astype(np.float32)
    labels = random.integers(0, size.structures + 1, (count, size.edge, size.edge)).astype(np.uint8)
    slices = SliceSet.build([CaseSlices(case, images, labels)], SliceStorage(device), (EDGE_MULTIPLE, EDGE_MULTIPLE))
    return Stage(1, AIDE(settings), settings.epochs, slices, slices.pad_labels([labels]), size.structures)


def _seconds(action: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    action()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _parts(iterate: Callable[[], None], device: torch.device, seconds: float) -> dict[str, float]:
    """Return the seconds of each part: the shares of a profiled iteration, which is slower, of the unprofiled time."""
    # The profiler's own log would stand between the lines of the report.
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
    with profile(activities=activities) as profiler:
        profiled = _seconds(iterate, device)
    totals = dict.fromkeys(timed_parts.ALL, 0.0)
    for event in profiler.key_averages():
        if event.key in totals:
            microseconds = event.device_time_total if device.type == "cuda" else event.cpu_time_total
            totals[event.key] = microseconds / 1e6 * seconds / profiled
    return totals | {"other": seconds - sum(totals.values())}
