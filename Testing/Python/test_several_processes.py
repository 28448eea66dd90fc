"""Two processes of torchrun on one run folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch.distributed
from case_files import REPOSITORY, write_dataset

from AIDELib.checkpoint import KEPT, checkpoint_files
from AIDELib.commands import main
from AIDELib.model import load_model
from AIDELib.review import read_review
from AIDELib.run_folder import RunFolder
from AIDELib.watched_folder import Request

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or sys.platform == "win32", reason="torch has no processes here"
)

SECONDS = 300
TINY = [
    "--preset=quick",
    "--device=cpu",
    *(
        f"--set={setting}"
        for setting in (
            "network_width=2",
            "pretraining_epochs=1",
            "iterations_per_epoch=3",
            "batch_size=4",
            "warm_up_epochs=1",
            "correction_first_epoch=1",
            "correction_interval=1",
            "correction_needs_consensus=false",
        )
    ),
]


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def complete(*arguments: object) -> tuple[int, str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def wait_for(condition) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def test_iterations_and_predictions_equal_those_of_one_process():
    code, _, err = complete(Path(__file__).with_name("processes_together.py"))
    assert code == 0, err


def test_a_run_with_baseline_and_evaluation_is_written_once_and_resumed_by_one_process(tmp_path):
    dataset = write_dataset(tmp_path, "HLU")
    arguments = [dataset, "--epochs=2", "--evaluate", "--baseline=conventional", *TINY]
    code, out, err = complete("-m", "AIDELib", "train", *arguments, "--run-folder", tmp_path / "two")
    assert code == 0, err
    assert out.count("Model: ") == 1
    assert main(["train", *map(str, arguments), "--run", str(tmp_path / "one")]) == 0
    two, one = RunFolder(tmp_path / "two"), RunFolder(tmp_path / "one")
    kinds = [Counter(event["event"] for event in run.events()) for run in (two, one)]
    assert kinds[0] == kinds[1]
    assert len(checkpoint_files(two.checkpoint_folder)) == KEPT
    assert two.comparison_file.exists()
    descriptions = [load_model(run.path).description for run in (two, one)]
    scores = [description.training.pop("score") for description in descriptions]
    offsets = [description.offsets for description in descriptions]
    assert replace(descriptions[0], offsets=()) == replace(descriptions[1], offsets=())
    # Steps of Adam make much of gradients that are nothing but rounding, and labels that are corrected by such predictions
    # make more of it: by the second epoch of so short a training it is some hundredths, whatever the batches are made of.
    # That iterations, statistics and predictions are the same but for rounding is tested above.
    assert scores[0]["kind"] == scores[1]["kind"] == "training agreement"
    assert scores[0]["value"] == pytest.approx(scores[1]["value"], abs=0.05)
    np.testing.assert_allclose(offsets[0], offsets[1], atol=0.1)
    epochs = [[event["loss"] for event in run.events() if event["event"] == "epoch"] for run in (two, one)]
    np.testing.assert_allclose(epochs[0][0], epochs[1][0], rtol=1e-4)
    # Before any correction.
    np.testing.assert_allclose(epochs[0][1], epochs[1][1], rtol=2e-3)
    assert {case.case for case in read_review(two)} == {"p0", "p1", "p2"}
    assert main(["train", "--run", str(two.path), "--resume", "--more-epochs", "1"]) == 0
    assert two.read_state()["status"] == "finished"
    assert load_model(one.path).description.training["epoch"] <= 2


def trained_epochs(run):
    """Return the epochs of the training proper that a run tells of."""
    return [event["epoch"] for event in run.events() if event["event"] == "epoch" and event["stage"] == "training"]


def test_pause_and_stop_reach_both_processes_and_two_resume(tmp_path):
    run = RunFolder(tmp_path / "run")
    dataset = write_dataset(tmp_path, "HL")
    process = start("-m", "AIDELib", "train", dataset, "--epochs=500", *TINY, "--run-folder", run.path)
    wait_for(lambda: trained_epochs(run) or process.poll() is not None)
    run.ask(Request.PAUSE)
    wait_for(lambda: run.read_state()["status"] == "paused" or process.poll() is not None)
    assert run.is_occupied()
    run.withdraw(Request.PAUSE)
    wait_for(lambda: any(event["event"] == "continued" for event in run.events()) or process.poll() is not None)
    run.ask(Request.STOP)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    assert run.read_state()["status"] == "stopped"
    done = trained_epochs(run)[-1]

    stop = tmp_path / "run" / "requests" / "stop"
    process = start("-m", "AIDELib", "train", "--resume", "--device=cpu", "--run-folder", run.path)
    wait_for(lambda: trained_epochs(run)[-1] > done or process.poll() is not None)
    stop.touch()
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, err
    epochs = trained_epochs(run)
    assert epochs == list(range(1, len(epochs) + 1))


def test_what_fails_in_one_process_ends_both_with_its_message(tmp_path):
    run = RunFolder(tmp_path / "run")
    script = Path(__file__).with_name("failing_process.py")
    code, _, err = complete(script, "train", write_dataset(tmp_path, "HL"), *TINY, "--run-folder", run.path)
    assert code != 0
    assert err.count("Error: Case 'p1': the drive of this machine is gone.") == 1
    state = run.read_state()
    assert (state["status"], state["message"]) == ("failed", "Case 'p1': the drive of this machine is gone.")
    assert not run.is_occupied()


def test_a_batch_that_cannot_be_shared_is_refused_before_anything_is_written(tmp_path):
    arguments = [write_dataset(tmp_path, "HL"), *TINY, "--set=batch_size=5", "--run-folder", tmp_path / "run"]
    code, _, err = complete("-m", "AIDELib", "train", *arguments)
    assert code != 0
    assert "Error: batch_size is 5, which 2 processes cannot share equally." in err
    assert "exitcode  : 2" in err
    assert not (tmp_path / "run").exists()
