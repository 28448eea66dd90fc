"""Feed spoilt files to everything that reads files: each must be accepted, or refused with a plain sentence.

    python -m Testing.fuzz --count 10000 --seed 0

Every input is read in a process that may take one gigabyte more than it has at the start. An input counts as crashed when
anything but an AIDEError comes out of it, when the process dies, or when it needs more than two seconds of computing or
one gigabyte. Crashed inputs are kept in --keep. The exit code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import resource
import select
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from AIDELib.case import LabelQuality
from AIDELib.checkpoint import checkpoint_files, load_newest_checkpoint
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.errors import AIDEError
from AIDELib.folder_lock import read_lock_owner
from AIDELib.label import read_label
from AIDELib.model import Model, load_model, save_model
from AIDELib.model_description import read_model_description
from AIDELib.prediction_job import JobFolder, PredictionJob, PredictionTask
from AIDELib.review import read_review
from AIDELib.review_decision import Choice, ReviewDecision, read_decisions, save_decision
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.segmentation_file import read_segmentation, write_segmentation
from AIDELib.slicing import SliceOrientation
from AIDELib.structure import Structure
from AIDELib.trainer import train
from AIDELib.volume import read_grid, read_image
from Testing.dicom_files import write_dicom_segmentation, write_series
from Testing.fault_harness import make_dataset, tiny_settings
from Testing.fuzz_inputs import (
    BYTES,
    Mutation,
    cut,
    flip_bits,
    flip_bits_at_the_start,
    spoil_container,
    spoil_dicom_elements,
    spoil_json,
    spoil_text_header,
    spoil_within_gzip,
    write_images,
)

MOST_SECONDS = 2.0
MOST_BYTES = 2**30
# Wall time, for machines with other work to do; what counts are the seconds of computing.
PATIENCE_SECONDS = 60.0
STRUCTURES = (Structure("liver", (1,), (1, 2, 3)), Structure("spleen", (2,), (4, 5, 6)))


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: for the account.
        file: the good file, which is spoilt for the time of a reading.
        mutations: ways to spoil it.
        read: reads it.
    """

    name: str
    file: Path
    mutations: tuple[Mutation, ...]
    read: Callable[[], object]


@dataclass
class Account:
    """What became of the inputs.

    Attributes:
        outcomes: by kind and "accepted", "refused" or "crashed".
        slowest: seconds of computing, and the input.
        largest: bytes beyond those at the start, and the input.
        crashes: sentences about what crashed.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    crashes: list[str] = field(default_factory=list)

    def total(self, outcome: str) -> int:
        """Return the number of inputs with an outcome."""
        return sum(count for (_, own), count in self.outcomes.items() if own == outcome)


def main() -> int:
    """Run the fuzzer and return the process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the inputs that crashed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        account = fuzz(Path(folder), arguments.count, arguments.seed, arguments.keep)
    for (name, outcome), count in sorted(account.outcomes.items()):
        print(f"{name:24} {outcome:9} {count}")
    print(
        f"{arguments.count} inputs: {account.total('accepted')} accepted, {account.total('refused')} refused, "
        f"{account.total('crashed')} crashed."
    )
    print(f"Slowest: {account.slowest[0]:.2f} s of computing ({account.slowest[1]}).")
    print(f"Largest: {account.largest[0] / 2**20:.0f} MB ({account.largest[1]}).")
    print("\n".join(account.crashes))
    return 1 if account.crashes else 0


def fuzz(folder: Path, count: int, seed: int, keep: Path | None = None) -> Account:
    """Read that many spoilt inputs."""
    prepared = folder / "inputs"
    _in_child(lambda: write_inputs(prepared, seed))
    shutil.copytree(prepared, folder / "good")
    account = Account()
    done = 0
    while done < count:
        done = _feed(prepared, done, count, seed, account, keep)
    return account


def write_inputs(folder: Path, seed: int) -> None:
    """Write a good file of every kind, with a real, tiny training among them."""
    folder.mkdir()
    write_images(folder / "images")
    labels = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 3, (4, 12, 10)).astype(np.uint8))
    labels.SetSpacing((1.0, 1.5, 3.0))
    write_segmentation(labels, STRUCTURES, folder / "images" / "label.seg.nrrd")
    array = sitk.GetArrayFromImage(labels)
    series = write_series(folder / "images" / "series", array, (1.0, 1.5, 3.0), (0.0, 0.0, 0.0), np.eye(3))
    masks = np.stack([array == 1, array == 2], axis=-1)
    write_dicom_segmentation(folder / "images" / "label.dcm", series, masks, ["liver", "spleen"])
    for name in ("label.nii.gz", "label.nrrd"):
        sitk.WriteImage(labels, str(folder / "images" / name))
    (folder / "png").mkdir()
    for index in range(4):
        sitk.WriteImage(labels[:, :, index], str(folder / "png" / f"slice{index:03d}.png"))
    dataset = make_dataset(folder, seed)
    save_dataset(dataset, folder / "dataset.json")
    run = RunFolder(folder / "run")
    settings = tiny_settings(seed).replace(epochs=2, pretraining_epochs=1)
    prepare_run(dataset, run, RunDescription("aide", settings))
    train(run, torch.device("cpu"))
    save_model(of_two_planes(load_model(run.path)), folder / "planes.aide")
    case = next(case for case in dataset.cases if case.quality is LabelQuality.LQA)
    run.reviewed_folder.mkdir()
    label = run.reviewed_folder / f"{case.id}.seg.nrrd"
    shutil.copy(run.suggested_folder / label.name, label)
    save_decision(run, ReviewDecision(case.id, Choice.ACCEPT, label))
    # With one checkpoint and no spare copies, nothing takes the place of what is spoilt.
    for path in checkpoint_files(run.checkpoint_folder)[:-1]:
        path.unlink()
    for path in (run.path / "spare").glob("*.json"):
        path.unlink()
    task = PredictionTask("one", case.images, folder / "out.seg.nrrd", folder / "p.nii.gz")
    JobFolder(folder / "job").write(PredictionJob(run.model_file, (task,)))


def of_two_planes(model: Model) -> Model:
    """Return a model whose networks see slices of different planes, which have another format."""
    plan = model.description.plan
    description = dataclasses.replace(
        model.description,
        plans=(plan, dataclasses.replace(plan, orientation=SliceOrientation.SAGITTAL)),
        network_count=2,
    )
    return Model(description, model.weights[:1] * 2)


def kinds(folder: Path) -> list[Kind]:
    """Return everything that is spoilt, with the function that reads it."""
    run, images = RunFolder(folder / "run"), folder / "images"
    binary = (*BYTES, flip_bits_at_the_start)
    text = (spoil_text_header, spoil_text_header, spoil_text_header, *BYTES)
    elements = (spoil_dicom_elements, spoil_dicom_elements, spoil_dicom_elements, *binary)
    documents = (spoil_json, spoil_json, spoil_json, flip_bits, cut)
    containers = (spoil_container, spoil_container, spoil_container, flip_bits, cut, *BYTES)

    def image_kind(name: str, mutations: tuple[Mutation, ...]) -> Kind:
        return Kind(
            f"image {name}", images / name, mutations, lambda: (read_image(images / name), read_grid(images / name))
        )

    def label_kind(name: str, mutations: tuple[Mutation, ...]) -> Kind:
        def read() -> object:
            reference = read_image(images / "a.nii.gz")
            return read_label(images / name, STRUCTURES, reference, [images / "a.nii.gz"])

        return Kind(f"label {name}", images / name, mutations, read)

    def read_model(file: Path) -> object:
        read_model_description(file)
        return load_model(file).create_networks(torch.device("cpu"))

    def read_dicom_label() -> object:
        return read_label(images / "label.dcm", STRUCTURES, read_image(images / "a.nii.gz"), [images / "series"])

    def read_png_label() -> object:
        return read_label(folder / "png", STRUCTURES, read_image(images / "dicom"), [images / "dicom"])

    checkpoint = checkpoint_files(run.checkpoint_folder)[0]
    return [
        Kind("model", run.model_file, containers, lambda: read_model(run.model_file)),
        Kind("model", folder / "planes.aide", containers, lambda: read_model(folder / "planes.aide")),
        Kind("dataset", folder / "dataset.json", documents, lambda: load_dataset(folder / "dataset.json")),
        Kind("dataset", folder / "dataset.json", documents, lambda: load_dataset(folder / "dataset.json")),
        image_kind("a.nii.gz", (spoil_within_gzip, spoil_within_gzip, *BYTES)),
        image_kind("a.nii", binary),
        image_kind("a.nrrd", text),
        image_kind("a.nhdr", text),
        image_kind("a.mha", text),
        image_kind("a.mhd", text),
        image_kind("a.png", binary),
        image_kind("a.tif", binary),
        Kind("dicom", images / "dicom" / "slice001.dcm", binary, lambda: read_image(images / "dicom")),
        Kind("dicom", images / "dicom" / "slice000.dcm", binary, lambda: read_image(images / "dicom")),
        Kind("png label", folder / "png" / "slice001.png", binary, read_png_label),
        label_kind("label.seg.nrrd", text),
        label_kind("label.nii.gz", (spoil_within_gzip, *BYTES)),
        Kind("label dicom", images / "label.dcm", elements, read_dicom_label),
        Kind("label dicom", images / "label.dcm", elements, read_dicom_label),
        Kind("segmentation", images / "label.seg.nrrd", text, lambda: read_segmentation(images / "label.seg.nrrd")),
        Kind("run run.json", run.description_file, documents, run.read_description),
        Kind("run state.json", run.state_file, documents, run.read_state),
        Kind("run dataset.json", run.dataset_file, documents, lambda: load_dataset(run.dataset_file)),
        Kind("run review.json", run.review_file, documents, lambda: read_review(run)),
        Kind("run decisions.json", run.decisions_file, documents, lambda: read_decisions(run)),
        Kind("run progress.jsonl", run.progress_file, BYTES, lambda: list(run.events())),
        Kind("run lock.json", run.lock_file, documents, lambda: read_lock_owner(run.lock_file)),
        Kind("run checkpoint", checkpoint, containers, lambda: load_newest_checkpoint(run.checkpoint_folder)),
        Kind("job", folder / "job" / "job.json", documents, lambda: JobFolder(folder / "job").read()),
    ]


def _feed(folder: Path, first: int, count: int, seed: int, account: Account, keep: Path | None) -> int:
    """Let a process read inputs from the first on, and return the first one that it did not come to."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _read_inputs(folder, first, count, seed, writing, keep)
        os._exit(0)
    os.close(writing)
    begun = first
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        buffered = b""
        while True:
            if not select.select([pipe], [], [], PATIENCE_SECONDS)[0]:
                os.kill(process, 9)
                break
            data = os.read(pipe.fileno(), 2**16)
            if not data:
                break
            *lines, buffered = (buffered + data).split(b"\n")
            for line in lines:
                begun = _note(json.loads(line), account)
    _, status = os.waitpid(process, 0)
    if status:
        name = _kind_of(folder, begun, seed).name
        account.outcomes[name, "crashed"] += 1
        account.crashes.append(f"input {begun} ({name}): the process ended with status {status}")
        _keep_input(folder, begun, seed, keep)
        begun += 1
    _restore(folder)
    return begun


def _note(result: dict, account: Account) -> int:
    label = f"{result['kind']}, input {result['number']}, {result['mutation']}, {result['outcome']}"
    account.outcomes[result["kind"], result["outcome"]] += 1
    account.slowest = max(account.slowest, (result["seconds"], label))
    account.largest = max(account.largest, (result["bytes"], label))
    if result["outcome"] == "crashed":
        account.crashes.append(f"{label}: {result['message']}")
    return result["number"] + 1


def _kind_of(folder: Path, number: int, seed: int) -> Kind:
    return _chosen(kinds(folder), number, seed)[0]


def _chosen(all_kinds: list[Kind], number: int, seed: int) -> tuple[Kind, Mutation, random.Random]:
    chance = random.Random(seed * 1_000_003 + number)
    kind = all_kinds[number % len(all_kinds)]
    return kind, chance.choice(kind.mutations), chance


def _read_inputs(folder: Path, first: int, count: int, seed: int, pipe: int, keep: Path | None) -> None:
    all_kinds = kinds(folder)
    good = {kind.file: kind.file.read_bytes() for kind in all_kinds}
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for kind in all_kinds:  # what is loaded at the first use is not an input's
        kind.read()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, used + MOST_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # ITK's warnings
    for number in range(first, count):
        kind, mutation, chance = _chosen(all_kinds, number, seed)
        original = good[kind.file]
        kind.file.write_bytes(mutation(original, chance))
        resident = _reset_peak()
        started = time.process_time()
        outcome, message = _outcome(kind)
        seconds, taken = time.process_time() - started, max(0, _peak() - resident)
        if outcome != "crashed" and (seconds > MOST_SECONDS or taken > MOST_BYTES):
            outcome, message = "crashed", "too slow or too large"
        if outcome == "crashed" and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(kind.file, keep / f"{number}-{kind.file.name}")
        kind.file.write_bytes(original)
        result = {
            "number": number,
            "kind": kind.name,
            "mutation": mutation.__name__,
            "outcome": outcome,
            "message": message[-1500:],
            "seconds": seconds,
            "bytes": taken,
        }
        os.write(pipe, json.dumps(result).encode() + b"\n")


def _outcome(kind: Kind) -> tuple[str, str]:
    try:
        kind.read()
    except AIDEError as error:
        message = str(error)
        # A sentence for people: not a page, and without control characters that would steer their terminal.
        plain = 10 < len(message) < 3000 and not any(ord(sign) < 32 and sign != "\n" for sign in message)
        return ("refused", message) if plain else ("crashed", f"no plain message: {message!r}")
    except BaseException:
        return "crashed", traceback.format_exc()
    return "accepted", ""


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    line = next(own for own in Path("/proc/self/status").read_text().splitlines() if own.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _keep_input(folder: Path, number: int, seed: int, keep: Path | None) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        file = _kind_of(folder, number, seed).file
        shutil.copy(file, keep / f"{number}-{file.name}")


def _restore(folder: Path) -> None:
    """Put the good file back that a process that died left spoilt."""
    backup = folder.parent / "good"
    for path in backup.rglob("*"):
        if path.is_file():
            shutil.copy(path, folder / path.relative_to(backup))


def _in_child(work: Callable[[], object]) -> None:
    """Do some work in a process of its own, so that this one stays without threads and can be copied safely."""
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(process, 0)[1]:
        raise RuntimeError("The inputs could not be written.")


if __name__ == "__main__":
    sys.exit(main())
