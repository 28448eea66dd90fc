"""Trainings whose device runs out of memory in each of their parts, and end as if it had not."""

import pytest
import torch
from case_files import write_dataset
from test_training_run import CPU, events_named, label_files, run_training

import AIDELib.aide_method
import AIDELib.stage
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import RunError
from AIDELib.learner import Learner
from AIDELib.memory_thrift import is_out_of_memory
from AIDELib.model import load_model
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.slice_set import SliceSet
from AIDELib.stage import Stage
from AIDELib.trainer import train

# Where memory is taken, and the how manieth use of it fails: in the pretraining, in the first and in a later epoch.
PARTS = {
    "slices": (SliceSet, "build", 1),
    "forward": (Learner, "forward", 17),
    "forward of the pretraining": (Learner, "forward", 2),
    "backward": (torch.Tensor, "backward", 20),
    "backward of the first epoch": (torch.Tensor, "backward", 10),
    "optimizer": (torch.optim.Adam, "step", 21),
    "pseudo-label pass": (AIDELib.aide_method, "make_pseudo_labels", 5),
    "prediction": (Learner, "predict", 30),
    "label pass": (AIDELib.stage, "predict_labels", 5),
    "labels of the unlabelled": (Stage, "predict_jointly", 1),
    "suggested labels": (Stage, "predict_jointly", 2),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("patients"), "HHLU")


@pytest.fixture
def settings(tiny_settings):
    return tiny_settings.replace(
        correction_share=1,
        correction_needs_consensus=False,
        correction_first_epoch=1,
        warm_up_epochs=1,
        epochs=2,
        pretraining_epochs=1,
    )


def failing_once(own, number: int, raised: list[str]):
    """Return a function that runs out of memory at one use, before or after it did its work, by turns."""
    uses = 0

    def fail(*arguments, **options):
        nonlocal uses
        uses += 1
        if uses == number:
            raised.append(own.__qualname__)
            own(*arguments, **options)
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return own(*arguments, **options)

    return fail


@pytest.fixture(scope="module")
def unbroken(dataset, tmp_path_factory):
    kept = {}

    def run(settings) -> RunFolder:
        if settings not in kept:
            kept[settings] = run_training(dataset, tmp_path_factory.mktemp("unbroken") / "run", settings)
        return kept[settings]

    return run


@pytest.mark.parametrize("part", PARTS)
def test_training_goes_on_and_ends_the_same(tmp_path, dataset, settings, unbroken, monkeypatch, part):
    expected = unbroken(settings)
    owner, name, number = PARTS[part]
    raised: list[str] = []
    own = getattr(owner, name)
    failing = failing_once(own, number, raised)
    monkeypatch.setattr(owner, name, staticmethod(failing) if owner is SliceSet else failing)
    run = run_training(dataset, tmp_path / "run", settings)
    assert len(raised) == 1
    assert [event["message"].split(".")[0] for event in events_named(run, "notice")] == [
        "The memory is not enough to train at full speed"
    ]
    assert run.read_state()["status"] == "finished"
    assert label_files(run) == label_files(expected)
    for found, other in zip(load_model(run.path).weights, load_model(expected.path).weights, strict=True):
        for name, tensor in found.items():
            # A convolution of one slice may add up in another order than that of four.
            torch.testing.assert_close(tensor, other[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("part", ["slices", "forward", "backward", "pseudo-label pass", "label pass"])
def test_memory_that_is_never_enough_names_the_settings_to_change(tmp_path, dataset, settings, monkeypatch, part):
    owner, name, _ = PARTS[part]

    def fail(*arguments, **options):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(owner, name, fail)
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(dataset), run, RunDescription("aide", settings))
    with pytest.raises(RunError, match="smaller batch_size, network_width or slice_size, or with --device cpu"):
        train(run, CPU)
    assert run.read_state()["status"] == "failed"
    assert len(events_named(run, "notice")) == 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5.91 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
    ids=str,
)
def test_what_counts_as_memory_used_up(error, expected):
    assert is_out_of_memory(error) is expected
