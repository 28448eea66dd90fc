"""Kill real trainings at random moments, resume them, and compare what they leave behind with unbroken ones.

    python -m Testing.fault_harness --kills 100 --seed 0

Every training is the command `AIDELib train` in a process of its own; it is ended with SIGKILL, by turns at a random
moment, and as soon as a file of a checkpoint, a label, the model or a document is seen half written. When a
training has ended by itself, the weights of its model and of its last checkpoint, its corrected, suggested and generated
labels, and its label review must equal those of the same training that nobody interrupted. The exit code is 1 if any
differs.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import SimpleITK as sitk
import torch

from AIDELib.atomic_file import UNFINISHED
from AIDELib.checkpoint import checkpoint_files, load_newest_checkpoint
from AIDELib.commands import main as command
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.model import load_model
from AIDELib.presets import QUICK
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.settings import Settings
from Testing.generated_patients import write_generated_patients

REPOSITORY = Path(__file__).parents[1]
# Longer than any of these trainings takes on a busy machine.
PATIENCE_SECONDS = 300.0
# Every so many lives it is the command in a new interpreter.
COMMAND_EVERY = 10

# What a training is doing while a file in one of these folders of the run is half written.
WRITES = {"checkpoints": "checkpoint", "corrected": "corrected label", "generated": "generated label", "": "document"}


def tiny_settings(seed: int) -> Settings:
    """Return settings with which an epoch takes a fraction of a second, and labels are corrected after most of them."""
    return QUICK.replace(
        slice_size=32,
        network_width=2,
        epochs=8,
        pretraining_epochs=3,
        iterations_per_epoch=3,
        batch_size=4,
        warm_up_epochs=2,
        correction_first_epoch=1,
        correction_interval=1,
        correction_share=0.5,
        correction_needs_consensus=False,
        seed=seed,
    )


@dataclass
class Account:
    """What the harness has seen.

    Attributes:
        kills: by what the process was doing.
        trainings: number of interrupted trainings that ended.
        different: sentences about what was not equal.
    """

    kills: Counter[str] = field(default_factory=Counter)
    trainings: int = 0
    different: list[str] = field(default_factory=list)


def main() -> int:
    """Run the harness and return the process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        account = survive(Path(folder), arguments.kills, arguments.seed, print_line)
    total = sum(account.kills.values())
    print(f"{total} kills in {account.trainings} trainings: " + ", ".join(f"{n} {k}" for k, n in account.kills.items()))
    print(f"{len(account.different)} differences from the unbroken trainings.")
    print("\n".join(account.different))
    return 1 if account.different else 0


def print_line(text: str) -> None:
    """Show one line at once."""
    print(text, flush=True)


def survive(folder: Path, kills: int, seed: int, tell=lambda text: None) -> Account:
    """Kill trainings that many times and compare each, once it has ended, with an unbroken one."""
    generator = random.Random(seed)
    account = Account()
    dataset = make_dataset(folder, seed)
    while sum(account.kills.values()) < kills:
        number = account.trainings
        settings = tiny_settings(seed * 1000 + number)
        unbroken = prepare(dataset, folder / f"unbroken{number}", settings)
        Training(unbroken, account.trainings).wait_until_finished()
        broken = prepare(dataset, folder / f"broken{number}", settings)
        interrupt_until_done(broken, kills, generator, account, tell)
        account.trainings += 1
        expected, found = remains(unbroken), remains(broken)
        names = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        account.different += [f"training {number}: {name} differs" for name in names]
        tell(f"training {number}: {len(expected)} files and weights compared, {len(names)} differ")
    return account


def make_dataset(folder: Path, seed: int) -> Dataset:
    """Write good, rough and unlabelled patients."""
    (folder / "patients").mkdir()
    dataset = write_generated_patients(folder / "patients", good=1, rough=3, unlabelled=2, test=0, seed=seed)
    save_dataset(dataset, folder / "dataset.json")
    return load_dataset(folder / "dataset.json")


def prepare(dataset: Dataset, folder: Path, settings: Settings) -> RunFolder:
    """Return a prepared run."""
    run = RunFolder(folder)
    prepare_run(dataset, run, RunDescription("aide", settings))
    return run


def interrupt_until_done(run: RunFolder, kills: int, generator: random.Random, account: Account, tell) -> None:
    """Start the training again and again, killing it, until it ends by itself."""
    for life in itertools.count():
        process = Training(run, life)
        moment = None
        if sum(account.kills.values()) < kills:
            moment = (kill_at_random if life % 2 else kill_in_write)(process, run, generator)
        if moment is None:
            process.wait_until_finished()
            return
        account.kills[moment] += 1
        tell(f"kill {sum(account.kills.values())}: {moment}")


class Training:
    """A training in a process of its own: the command itself, or the same in a copy of a process that has torch loaded.

    Loading torch takes longer than these trainings, so that most lives begin after it.
    """

    def __init__(self, run: RunFolder, life: int) -> None:
        arguments = ["train", "--run", str(run.path), "--resume", "--device", "cpu"]
        self._run = run
        self._process: subprocess.Popen[bytes] | BaseProcess
        if life % COMMAND_EVERY == 0:
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "AIDELib", *arguments],
                cwd=REPOSITORY,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        else:
            self._process = loaded_processes().Process(target=run_command, args=(arguments,))
            self._process.start()

    def exit_code(self) -> int | None:
        """Return the exit code, negative after a signal; None while it runs."""
        return self._process.poll() if isinstance(self._process, subprocess.Popen) else self._process.exitcode

    def kill(self) -> bool:
        """End it as a lost process ends, and return whether it was still alive."""
        self._process.kill()
        return self._ended() == -signal.SIGKILL

    def wait_until_finished(self) -> None:
        """Wait until it has ended by itself, as it should."""
        code = self._ended()
        if code or self._run.read_state()["status"] != "finished":
            raise RuntimeError(f"A training ended with {code}: {self._run.read_state()}")

    def _ended(self) -> int | None:
        if isinstance(self._process, subprocess.Popen):
            self._process.wait(PATIENCE_SECONDS)
        else:
            self._process.join(PATIENCE_SECONDS)
        return self.exit_code()


@functools.cache
def loaded_processes() -> ForkServerContext:
    """Return what starts processes that have torch and AIDELib loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["AIDELib.commands.train_command"])
    return context


def run_command(arguments: list[str]) -> None:
    """Run a command of AIDELib in this process and end it with the command's exit code."""
    torch.set_num_threads(1)
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        sys.exit(command(arguments))


def kill_at_random(process: Training, run: RunFolder, generator: random.Random) -> str | None:
    """Kill the process some time after it began to train; None if it was done before."""
    length = run.progress_file.stat().st_size if run.progress_file.exists() else 0
    while process.exit_code() is None and not (
        run.progress_file.exists() and run.progress_file.stat().st_size > length
    ):
        time.sleep(0.01)
    end = time.monotonic() + generator.uniform(0, 2.5)
    while process.exit_code() is None and time.monotonic() < end:
        time.sleep(0.005)
    return "at a random moment" if process.kill() else None


def kill_in_write(process: Training, run: RunFolder, generator: random.Random) -> str | None:
    """Kill the process while it writes a file of a kind drawn at random; None if it was done before.

    After a while the next write of any kind is taken: the later a training, the fewer kinds it still writes.
    """
    wanted = generator.choice(list(WRITES))
    skipped = generator.randrange(3)
    end = float("inf")
    seen: set[Path] = set()
    while process.exit_code() is None:
        for path in half_written(run):
            # The time runs from the first write on: loading torch can take long.
            end = min(end, time.monotonic() + 10)
            folder = path.relative_to(run.path).parts[0]
            kind = folder if folder in WRITES else ""
            if (kind != wanted and time.monotonic() < end) or path in seen:
                continue
            if skipped:
                seen.add(path)
                skipped -= 1
            elif process.kill():
                # Where the kill came too late, the file is gone: renamed, or removed.
                return f"{'during' if path.exists() else 'right after'} the write of a {WRITES[kind]}"
        time.sleep(0.0005)
    return None


def half_written(run: RunFolder) -> list[Path]:
    """Return the files that are being written."""
    try:
        return list(run.path.rglob(f"{UNFINISHED}*"))
    except OSError:  # a folder that is just being removed
        return []


def remains(run: RunFolder) -> dict[str, str]:
    """Return checksums of everything that a finished training leaves: weights, labels, review."""
    digests = {}
    for index, weights in enumerate(load_model(run.model_file).weights):
        for name, tensor in weights.items():
            digests[f"model network {index + 1} {name}"] = _digest(tensor.numpy().tobytes())
    checkpoint = load_newest_checkpoint(run.checkpoint_folder)
    assert checkpoint is not None
    for group, tensors in checkpoint.tensors.items():
        for name, tensor in tensors.items():
            digests[f"checkpoint {group} {name}"] = _digest(tensor.numpy().tobytes())
    digests["checkpoint document"] = _digest(repr(checkpoint.document).encode())
    digests["checkpoint names"] = _digest(
        repr([path.name for path in checkpoint_files(run.checkpoint_folder)]).encode()
    )
    for folder in (run.corrected_folder, run.suggested_folder, run.generated_folder):
        for path in sorted(folder.rglob("*.seg.nrrd")):
            digests[str(path.relative_to(run.path))] = _digest(
                sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes()
            )
    digests["review"] = _digest(run.review_file.read_bytes())
    return digests


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
