"""What goes wrong around a training: disks, drives, memory, killed processes. Nothing finished may be lost."""

import errno
import os
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL, write_dataset
from test_training_run import CPU, events_named, label_files, run_training, weights_digest

from AIDELib import atomic_file
from AIDELib.atomic_file import write_text_atomically
from AIDELib.checkpoint import checkpoint_files
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import RunError, VolumeError
from AIDELib.learner import Learner
from AIDELib.model import load_model
from AIDELib.predictor import Predictor
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.segmentation_file import read_segmentation, write_segmentation
from AIDELib.slice_storage import Place, SliceStorage
from AIDELib.trainer import train
from AIDELib.volume import read_image
from Testing.fault_harness import survive


@pytest.fixture
def settings(tiny_settings):
    return tiny_settings.replace(correction_share=1, correction_needs_consensus=False, correction_first_epoch=1)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("only the superuser of Linux can make a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def prepared_run(folder, dataset, settings) -> RunFolder:
    run = RunFolder(folder)
    prepare_run(load_dataset(dataset), run, RunDescription("aide", settings))
    return run


def test_trainings_killed_at_random_moments_end_as_unbroken_ones(tmp_path):
    account = survive(tmp_path, kills=6, seed=5)
    assert sum(account.kills.values()) == 6
    assert account.different == []


def test_a_full_disk_ends_the_training_with_a_sentence_and_room_lets_it_go_on(small_disk, tmp_path, settings):
    run = prepared_run(small_disk / "run", write_dataset(tmp_path, "HLU"), settings)
    filling = small_disk / "filling"
    filling.write_bytes(bytes(5_000_000))
    with pytest.raises(RunError, match=r"cannot go on: No space left on device|cannot be written.*disk full"):
        train(run, CPU)
    filling.unlink()
    train(run, CPU)
    unbroken = run_training(tmp_path / "dataset.json", tmp_path / "unbroken", settings)
    assert weights_digest(run) == weights_digest(unbroken)
    assert label_files(run) == label_files(unbroken)
    assert not [path for path in run.path.rglob("*") if path.name.startswith(".unfinished")]


def test_slices_that_the_disk_has_no_room_for(small_disk):
    with pytest.raises(OSError, match=r"No space left on device for 9\.0 MB of slices"):
        SliceStorage(CPU, Place.FILE, small_disk).labels(9, 2**10, 2**10)


def test_a_full_disk_leaves_the_old_file(small_disk):
    write_text_atomically(small_disk / "file.txt", "old")
    with pytest.raises(OSError, match="No space left"):
        write_text_atomically(small_disk / "file.txt", "x" * 9_000_000)
    assert (small_disk / "file.txt").read_text() == "old"
    assert [path.name for path in small_disk.iterdir()] == ["file.txt"]


def test_a_disk_that_fails_on_fsync_leaves_the_old_file(tmp_path, monkeypatch):
    write_text_atomically(tmp_path / "file.txt", "old")

    def fail(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(atomic_file.os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_text_atomically(tmp_path / "file.txt", "new")
    assert (tmp_path / "file.txt").read_text() == "old"


@pytest.mark.parametrize(("refusals", "content"), [(2, "new"), (3, "old")])
def test_a_file_that_another_program_holds_open_is_replaced_once_it_lets_go(tmp_path, monkeypatch, refusals, content):
    write_text_atomically(tmp_path / "file.txt", "old")
    held = [PermissionError(errno.EACCES, "The file is in use")] * refusals
    replace = Path.replace

    def refuse_at_first(source, target):
        if held:
            raise held.pop()
        return replace(source, target)

    monkeypatch.setattr(atomic_file, "_ATTEMPTS", 3)
    monkeypatch.setattr(atomic_file, "_SECONDS_BETWEEN_ATTEMPTS", 0.0)
    monkeypatch.setattr(atomic_file.Path, "replace", refuse_at_first)
    with nullcontext() if content == "new" else pytest.raises(PermissionError):
        write_text_atomically(tmp_path / "file.txt", "new")
    assert (tmp_path / "file.txt").read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_read_only_folder_is_told_before_anything_is_computed(small_disk, tmp_path, settings):
    run = prepared_run(small_disk / "run", write_dataset(tmp_path, "HL"), settings)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(RunError, match=r"The folder .* cannot be written: Read-only file system"):
        train(run, CPU)
    with pytest.raises(RunError, match=r"cannot be made: Read-only file system"):
        prepared_run(small_disk / "other", tmp_path / "dataset.json", settings)


def test_a_drive_that_vanishes_ends_the_training_and_nothing_is_written_in_its_place(tmp_path, settings):
    (tmp_path / "drive").mkdir()
    run = prepared_run(tmp_path / "drive" / "run", write_dataset(tmp_path, "HL"), settings)

    def unplug(event):
        if event["event"] == "epoch" and event["epoch"] == 2:
            (tmp_path / "drive").rename(tmp_path / "elsewhere")
            (tmp_path / "drive").mkdir()

    with pytest.raises(RunError, match=r"cannot go on: No such file or directory .*resume"):
        train(run, CPU, unplug)
    assert list((tmp_path / "drive").iterdir()) == []
    (tmp_path / "drive").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "drive")
    train(run, CPU)
    assert weights_digest(run) == weights_digest(run_training(tmp_path / "dataset.json", tmp_path / "again", settings))


def flip_bit(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 4
    path.write_bytes(bytes(data))


def test_a_flipped_bit_in_the_newest_checkpoint_costs_an_epoch_and_is_told(tmp_path, settings):
    dataset = write_dataset(tmp_path, "HLU")
    unbroken = run_training(dataset, tmp_path / "unbroken", settings)
    run = run_training(dataset, tmp_path / "run", settings)
    newest = checkpoint_files(run.checkpoint_folder)[-1]
    flip_bit(newest, newest.stat().st_size // 2)
    train(run, CPU)
    assert weights_digest(run) == weights_digest(unbroken)
    (notice,) = events_named(run, "notice")
    assert newest.name in notice["message"]
    assert "goes on from the one before, stage1-epoch000002.zip" in notice["message"]


@pytest.mark.parametrize("damage", ["flipped", "torn", "lost"])
def test_damaged_labels_are_written_anew_from_the_checkpoint(tmp_path, settings, damage):
    run = run_training(write_dataset(tmp_path, "HLU"), tmp_path / "run", settings)
    before = label_files(run) | {"generated": (run.generated_folder / "p2.seg.nrrd").read_bytes()}
    files = [run.corrected_folder / "network2" / "p1.seg.nrrd", run.generated_folder / "p2.seg.nrrd"]
    for file in files:
        if damage == "flipped":
            flip_bit(file, file.stat().st_size - 20)
        elif damage == "torn":
            file.write_bytes(file.read_bytes()[:-20])
        else:
            file.unlink()
    train(run, CPU)
    after = label_files(run) | {"generated": (run.generated_folder / "p2.seg.nrrd").read_bytes()}
    assert after == before
    messages = [event["message"] for event in events_named(run, "notice")]
    assert len(messages) == 2
    assert all("written anew from the checkpoint" in message for message in messages)


def test_damaged_documents_of_a_run_are_mended_and_it_is_told(tmp_path, settings):
    run = run_training(write_dataset(tmp_path, "HL"), tmp_path / "run", settings)
    digest = weights_digest(run)
    for file in (run.dataset_file, run.description_file, run.state_file):
        flip_bit(file, file.stat().st_size // 2)
    assert run.read_state()["status"] == "finished"
    assert run.read_description().settings == settings
    train(run, CPU)
    assert weights_digest(run) == digest
    assert run.dataset_file.with_name("dataset.json.damaged").exists()
    assert "dataset.json cannot be used" in " ".join(event["message"] for event in events_named(run, "notice"))


def test_every_flipped_bit_of_a_label_file_is_seen_or_harmless(tmp_path):
    labels = sitk.GetImageFromArray(np.tile(np.array([[0, 1], [1, 0]], np.uint8), (2, 2, 2)))
    path = tmp_path / "a.seg.nrrd"
    write_segmentation(labels, [BALL], path)
    assert not (tmp_path / "a.seg.nrrd").read_bytes().startswith(b"#")
    expected = read_segmentation(path)
    data = path.read_bytes()
    for position in range(0, len(data), 3):
        path.write_bytes(data)
        flip_bit(path, position)
        try:
            found = read_segmentation(path)
        except VolumeError:
            continue
        assert found.segments == expected.segments
        assert np.array_equal(found.layers, expected.layers)
        assert (found.grid.GetSpacing(), found.grid.GetOrigin()) == (
            expected.grid.GetSpacing(),
            expected.grid.GetOrigin(),
        )


def test_a_label_that_another_program_wrote_anew_is_taken_as_it_is(tmp_path):
    path = tmp_path / "a.seg.nrrd"
    write_segmentation(sitk.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), [BALL], path)
    image = sitk.ReadImage(str(path))
    image[0, 0, 0] = 0
    sitk.WriteImage(image, str(path), useCompression=True)
    file = read_segmentation(path)
    assert file.mask(file.segments[0]).sum() == 23


def test_training_goes_on_with_less_memory_and_the_same_results(tmp_path, settings, monkeypatch):
    dataset = write_dataset(tmp_path, "HLU")
    unbroken = run_training(dataset, tmp_path / "unbroken", settings)
    run = prepared_run(tmp_path / "run", dataset, settings)
    own_predict, own_forward = Learner.predict, Learner.forward

    def predict(learner, images):
        for part in learner._thrift.parts(images):
            if len(part) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 TiB")
        return own_predict(learner, images)

    def forward(learner, images):
        if learner._thrift.level == 0 and learner.steps >= 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return own_forward(learner, images)

    monkeypatch.setattr(Learner, "predict", predict)
    monkeypatch.setattr(Learner, "forward", forward)
    train(run, CPU)
    assert len(events_named(run, "notice")) == 2
    assert label_files(run) == label_files(unbroken)
    for own, other in zip(load_model(run.path).weights, load_model(unbroken.path).weights, strict=True):
        for name, tensor in own.items():
            # A convolution of one slice may add up in another order than that of four.
            torch.testing.assert_close(tensor, other[name], rtol=1e-4, atol=1e-5)


def test_what_gradients_need_in_main_memory_changes_no_bit(tmp_path, settings, monkeypatch):
    from AIDELib.memory_thrift import MemoryThrift

    dataset = write_dataset(tmp_path, "HL")
    unbroken = run_training(dataset, tmp_path / "unbroken", settings)
    own = MemoryThrift.__init__

    def sparing(thrift):
        own(thrift)
        thrift.level = 1

    monkeypatch.setattr(MemoryThrift, "__init__", sparing)
    monkeypatch.setattr(MemoryThrift, "parts", lambda thrift, images: (images,))
    assert weights_digest(run_training(dataset, tmp_path / "run", settings)) == weights_digest(unbroken)


def test_segmenting_goes_on_with_fewer_slices_at_a_time(tmp_path, settings, monkeypatch):
    run = run_training(write_dataset(tmp_path, "HL"), tmp_path / "run", settings)
    image = [read_image(tmp_path / "p1_0.nii.gz")]
    predictor = Predictor(load_model(run.path), CPU)
    expected = predictor.predict(image)
    own = Predictor._mean_probabilities
    most = 1

    def with_little_memory(predictor, images, networks):
        if len(images) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return own(predictor, images, networks)

    monkeypatch.setattr(Predictor, "_mean_probabilities", with_little_memory)
    found = predictor.predict(image)
    assert np.array_equal(sitk.GetArrayFromImage(found.labels), sitk.GetArrayFromImage(expected.labels))
    most = 0
    with pytest.raises(VolumeError, match="choose the device cpu"):
        predictor.predict(image)


def test_the_computers_own_memory_used_up_is_a_sentence_too(tmp_path, settings, monkeypatch):
    run = prepared_run(tmp_path / "run", write_dataset(tmp_path, "HL"), settings)

    def fill(learner, images):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(Learner, "forward", fill)
    with pytest.raises(RunError, match="smaller batch_size, network_width or slice_size"):
        train(run, CPU)
    assert run.read_state()["status"] == "failed"
