"""What only an NVIDIA GPU can show: the same results every time, wherever the slices lie, near to those of the CPU."""

import warnings

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import CUBES, FLAT, write_dataset
from test_training_run import assert_same_results, events_named, kill_and_resume, label_files, weights_digest
from torch.nn import functional

from AIDELib.dataset_file import load_dataset
from AIDELib.device import make_deterministic
from AIDELib.doubling import Doubling
from AIDELib.epoch_cost import create_epoch
from AIDELib.model import load_model
from AIDELib.networks import register_network
from AIDELib.predictor import Predictor
from AIDELib.presets import PAPER, STANDARD
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.seeding import derived_generator
from AIDELib.settings import Precision
from AIDELib.slice_storage import Place, SliceStorage
from AIDELib.trainer import train

CPU, GPU = torch.device("cpu"), torch.device("cuda")
SMALL = {"network_width": 8, "batch_size": 4}
PRESETS = [PAPER.replace(**SMALL), STANDARD.replace(**SMALL)]

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")


@pytest.fixture(autouse=True)
def deterministic():
    make_deterministic()


def prepared(dataset, folder, settings, method="aide"):
    run = RunFolder(folder)
    prepare_run(load_dataset(dataset), run, RunDescription(method, settings))
    return run


def trained(dataset, folder, settings, method="aide", device=GPU):
    run = prepared(dataset, folder, settings, method)
    train(run, device)
    return run


def losses_of_iterations(settings, device, replays=None, iterations=6, edge=64):
    """Train a few iterations on random slices and return the losses and weights of both networks."""
    stage = create_epoch(settings, edge, 2, 2, 8, device)
    generator = derived_generator(settings.seed, 1)
    losses = []
    for learner in stage.learners:
        learner.replays = learner.replays if replays is None else replays
    for iteration in range(iterations):
        batch = stage.batch([iteration % 8, 3, 5, 6], generator)
        own = stage.method.losses(stage.learners, batch, settings.warm_up_epochs + 1, generator)
        for learner, loss in zip(stage.learners, own, strict=True):
            learner.step(loss, settings.learning_rate)
        losses.append([loss.item() for loss in own])
    weights = [tensor.cpu() for learner in stage.learners for tensor in learner.network.state_dict().values()]
    return losses, weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_enlargement_and_its_gradient_are_those_of_torch(dtype):
    features = torch.randn(2, 8, 20, 12, device=GPU, dtype=dtype).to(memory_format=torch.channels_last)
    weights = torch.randn(2, 8, 40, 24, device=GPU, dtype=dtype)
    gradients = []
    for _ in range(2):
        own = features.clone().requires_grad_()
        (Doubling()(own) * weights).sum().backward()
        gradients.append(own.grad)
    assert torch.equal(*gradients)
    reference = features.cpu().float().requires_grad_()
    expected = functional.interpolate(reference, scale_factor=2, mode="bilinear", align_corners=False)
    (expected * weights.cpu().float()).sum().backward()
    # Numbers in half precision have 8 bits.
    atol, rtol = (0.05, 0.02) if dtype is torch.bfloat16 else (1e-5, 1e-5)
    torch.testing.assert_close(gradients[0].cpu().float(), reference.grad, atol=atol, rtol=rtol)


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("settings", PRESETS, ids=["paper", "standard"])
def test_replayed_passes_give_the_same_bits(settings, precision):
    settings = settings.replace(precision=precision)
    started, replayed = (losses_of_iterations(settings, GPU, replays) for replays in (False, True))
    assert started[0] == replayed[0]
    assert all(torch.equal(*pair) for pair in zip(started[1], replayed[1], strict=True))


class Asking(torch.nn.Conv2d):
    """Asks the GPU for a number, which no recording can do."""

    def forward(self, images):
        return super().forward(images) * min(1.0, images.abs().max().item() + 1)


def test_a_network_that_cannot_be_recorded_trains_without():
    register_network("asking", lambda channels, classes, width: Asking(channels, classes, 3, padding=1))
    settings = PRESETS[1].replace(network="asking")
    started, replayed = (losses_of_iterations(settings, GPU, replays) for replays in (False, True))
    assert started[0] == replayed[0]
    assert all(torch.equal(*pair) for pair in zip(started[1], replayed[1], strict=True))
    assert torch.cuda.current_stream() == torch.cuda.default_stream()


@pytest.mark.parametrize("settings", PRESETS, ids=["paper", "standard"])
def test_first_losses_are_near_those_of_the_cpu(settings, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    (on_gpu, _), (on_cpu, _) = (losses_of_iterations(settings, device, iterations=3) for device in (GPU, CPU))
    assert np.allclose(on_gpu[0], on_cpu[0], rtol=1e-4)
    assert np.allclose(on_gpu, on_cpu, rtol=2e-2)


@pytest.mark.parametrize("settings", PRESETS, ids=["paper", "standard"])
def test_an_iteration_never_waits_for_the_gpu(settings):
    stage = create_epoch(settings, 64, 2, 2, 8, GPU)
    generator = derived_generator(settings.seed, 1)

    def iterate():
        batch = stage.batch([0, 3, 5, 6], generator)
        for learner, loss in zip(
            stage.learners,
            stage.method.losses(stage.learners, batch, settings.warm_up_epochs + 1, generator),
            strict=True,
        ):
            learner.step(loss, settings.learning_rate)

    iterate()
    iterate()
    torch.cuda.set_sync_debug_mode("error")
    try:
        iterate()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("grid", [FLAT, CUBES], ids=["one plane", "a plane per network"])
@pytest.mark.parametrize("precision", list(Precision))
def test_same_seed_same_bytes(tmp_path, tiny_settings, precision, grid):
    dataset = write_dataset(tmp_path, "HLU", grid=grid)
    settings = tiny_settings.replace(precision=precision)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*does not have a deterministic implementation.*")
        first, again = (trained(dataset, tmp_path / name, settings) for name in ("first", "again"))
    assert weights_digest(first) == weights_digest(again)
    assert label_files(first) == label_files(again)
    # Nothing is told but, where there are two, the planes.
    assert len(events_named(first, "notice")) == (grid is CUBES)
    assert "NVIDIA" in next(event["device"] for event in first.events() if event["event"] == "start")


def test_a_resumed_training_ends_as_an_unbroken_one(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HLU")
    unbroken = trained(dataset, tmp_path / "unbroken", tiny_settings)
    resumed = prepared(dataset, tmp_path / "resumed", tiny_settings)
    kill_and_resume(resumed, "training", 2, GPU)
    assert_same_results(resumed, unbroken)


@pytest.mark.parametrize("place", [Place.MAIN_MEMORY, Place.FILE])
def test_same_bytes_wherever_the_slices_lie(tmp_path, tiny_settings, monkeypatch, place):
    dataset = write_dataset(tmp_path, "HLU", channels=2)
    on_device = trained(dataset, tmp_path / "device", tiny_settings)
    monkeypatch.setattr(
        SliceStorage, "choose", classmethod(lambda cls, needed, device, folder, processes=1: cls(device, place, folder))
    )
    elsewhere = trained(dataset, tmp_path / "elsewhere", tiny_settings)
    assert any(place.value.split()[-1] in event["message"] for event in events_named(elsewhere, "notice"))
    assert weights_digest(on_device) == weights_digest(elsewhere)
    assert label_files(on_device) == label_files(elsewhere)


def test_a_training_that_runs_out_of_memory_goes_on(tmp_path, tiny_settings, monkeypatch):
    dataset = write_dataset(tmp_path, "HLU")
    step, calls = torch.optim.Adam.step, []

    def fail_once(*arguments, **options):
        calls.append(1)
        if len(calls) == 13:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return step(*arguments, **options)

    monkeypatch.setattr(torch.optim.Adam, "step", fail_once)
    run = trained(dataset, tmp_path / "run", tiny_settings)
    assert run.read_state()["status"] == "finished"
    assert any("memory" in event["message"] for event in events_named(run, "notice"))


@pytest.mark.parametrize("method", ["supervised", "conventional", "co-teaching", "pseudo-label"])
def test_every_baseline_trains(tmp_path, tiny_settings, method):
    run = trained(write_dataset(tmp_path, "HLU"), tmp_path / "run", tiny_settings, method)
    assert run.read_state()["status"] == "finished"


def test_a_model_predicts_the_same_as_on_the_cpu(tmp_path, tiny_settings):
    run = trained(write_dataset(tmp_path, "HLU", grid=CUBES), tmp_path / "run", tiny_settings)
    image = [sitk.ReadImage(str(tmp_path / "p3_0.nii.gz"))]
    model = load_model(run.path)
    expected = sitk.GetArrayFromImage(Predictor(model, CPU).predict(image).probabilities[0])
    for precision, tolerance in ((Precision.FLOAT32, 0.01), (Precision.BFLOAT16, 0.05)):
        found = sitk.GetArrayFromImage(Predictor(model, GPU, precision).predict(image).probabilities[0])
        assert np.abs(found - expected).max() < tolerance
