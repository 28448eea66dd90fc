import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from case_files import write_dataset
from test_training_run import label_files, run_training, weights_digest

from AIDELib import slice_storage
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset_file import load_dataset
from AIDELib.preparation import cut_cases, plan_slices, slice_bytes
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import Place, SliceStorage

CPU, GPU = torch.device("cpu"), torch.device("cuda")
GB = 2**30


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_batch_is_the_same_from_everywhere(tmp_path, place, channels):
    images = np.arange(3 * channels * 20 * 16, dtype=np.float32).reshape(3, channels, 20, 16)
    labels = np.arange(3 * 20 * 16).reshape(3, 20, 16).astype(np.uint8)
    case = Case("a", (Path("i"),) * channels, Path("l"), LabelQuality.LQA, Split.TRAIN)
    storage = SliceStorage(CPU, place, tmp_path)
    cut = CaseSlices(case, storage.keep(images), storage.keep(labels))
    slices = SliceSet.build([cut], storage, (16, 16))
    padded = slices.pad_labels([cut.labels])
    batch = slices.take(slices.images, [2, 0])
    assert batch.shape == (2, channels, 32, 16)
    assert torch.equal(batch[:, :, 6:26], torch.from_numpy(images[[2, 0]]))
    assert not batch[:, :, :6].any()
    on_device = SliceSet.build([cut], SliceStorage(CPU), (16, 16))
    assert batch.stride() == on_device.take(on_device.images, [2, 0]).stride()
    assert torch.equal(slices.take(padded, [1])[0, 6:26], torch.from_numpy(labels[1]))
    copy = storage.copy(padded)
    copy.zero_()
    assert padded.any()
    if place is Place.FILE:
        assert isinstance(cut.images, np.memmap)
        # Nothing stays, even of a process that is killed.
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 2])
def test_a_training_gives_the_same_bytes_from_everywhere(tmp_path, tiny_settings, monkeypatch, channels):
    dataset = write_dataset(tmp_path, "HLU", channels)
    runs = []
    for place in Place:
        with monkeypatch.context() as patch:
            patch.setattr(
                SliceStorage,
                "choose",
                classmethod(lambda cls, needed, device, folder, processes, place=place: cls(device, place, folder)),
            )
            runs.append(run_training(dataset, tmp_path / place.name, tiny_settings))
    assert len({weights_digest(run) for run in runs}) == 1
    assert label_files(runs[0]) == label_files(runs[1]) == label_files(runs[2])
    notices = [[event["message"] for event in run.events() if event["event"] == "notice"] for run in runs]
    assert notices[0] == []
    assert "they lie in main memory" in notices[1][0]
    assert "they lie in a file in" in notices[2][0]
    assert all("with the same results" in own[0] for own in notices[1:])


@pytest.mark.parametrize(
    ("device", "gpu", "memory", "processes", "expected"),
    [
        (CPU, 0, 30 * GB, 1, Place.DEVICE),
        (CPU, 0, 20 * GB, 1, Place.FILE),
        (CPU, 0, 30 * GB, 2, Place.FILE),
        (CPU, 0, None, 1, Place.DEVICE),
        (GPU, 30 * GB, 1 * GB, 1, Place.DEVICE),
        (GPU, 19 * GB, 30 * GB, 1, Place.MAIN_MEMORY),
        (GPU, 19 * GB, 20 * GB, 1, Place.FILE),
    ],
)
def test_the_free_memory_decides(monkeypatch, tmp_path, device, gpu, memory, processes, expected):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (gpu, 80 * GB))
    monkeypatch.setattr(slice_storage, "available_memory", lambda: memory)
    assert SliceStorage.choose(10 * GB, device, tmp_path, processes).place is expected


def failing_with(number):
    def fail(handle, start, size):
        assert size == 3 * 4 * 5
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve room")
def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", failing_with(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left on device for 60 bytes of slices") as caught:
        SliceStorage(CPU, Place.FILE, tmp_path).labels(3, 4, 5)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve room")
@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_disk_that_cannot_reserve_room_is_used_all_the_same(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "posix_fallocate", failing_with(number))
    labels = SliceStorage(CPU, Place.FILE, tmp_path).labels(3, 4, 5)
    assert labels.shape == (3, 4, 5)
    assert not labels.any()


def test_bytes_are_known_from_the_headers(tmp_path, tiny_settings):
    dataset = load_dataset(write_dataset(tmp_path, "HL", channels=2))
    cases = dataset.select(Split.TRAIN)
    plan = plan_slices(cases, tiny_settings)
    slices = SliceSet.build(
        cut_cases(cases, dataset, plan, None, SliceStorage(CPU), lambda done, total: None), SliceStorage(CPU), plan.size
    )
    pixels = slices.images[:, 0].numel()
    assert slice_bytes(cases, plan, 3) == slices.images.nbytes + 3 * pixels
