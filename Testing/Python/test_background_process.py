"""Processes that outlive Slicer, found again, ended, and read through their folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("slicer")

from AIDELib.watched_folder import Status, WatchedFolder
from AIDESlicer.background_process import LOG_NAME, BackgroundProcess, lastSentence, startProcess
from AIDESlicer.folder_reader import FolderReader
from AIDESlicer.process_table import commandOf, endTree

REPOSITORY = Path(__file__).resolve().parents[2]


def waitUntil(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_process_writes_its_log_and_ends(tmp_path):
    process = startProcess(["measure", str(tmp_path / "größe.nii.gz"), "b.nii.gz"], tmp_path / LOG_NAME)
    assert waitUntil(lambda: not process.isAlive())
    assert process.lastWords() == f"Error: There is no file {tmp_path / 'größe.nii.gz'}."


def test_a_process_outlives_the_one_that_started_it_and_is_ended_by_another(tmp_path):
    script = (
        "import pathlib, sys\n"
        "from AIDESlicer.background_process import startProcess\n"
        f"print(startProcess(['benchmark'], pathlib.Path({str(tmp_path / LOG_NAME)!r})).pid)"
    )
    starter = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    process = BackgroundProcess(int(starter.stdout), tmp_path / LOG_NAME)
    assert process.isAlive()
    process.kill()
    assert waitUntil(lambda: not process.isAlive(), 5)


def test_the_number_of_another_program_is_not_taken_for_the_process(tmp_path):
    other = subprocess.Popen(["sleep", "60"])
    try:
        assert waitUntil(lambda: commandOf(other.pid) == "sleep 60", 5)
        assert not BackgroundProcess(other.pid, tmp_path / LOG_NAME).isAlive()
    finally:
        other.kill()
        other.wait()
    assert commandOf(other.pid) is None


def test_a_whole_tree_of_processes_is_ended():
    leader = subprocess.Popen(
        ["sh", "-c", "sleep 61 & echo $!; wait"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    child = int(leader.stdout.readline())
    assert waitUntil(lambda: commandOf(child) == "sleep 61", 5)
    endTree(leader.pid, force=True)
    leader.wait(5)
    leader.stdout.close()
    assert waitUntil(lambda: commandOf(child) is None, 5)


def test_events_are_read_once_and_only_when_complete(tmp_path):
    folder = WatchedFolder(tmp_path)
    reader = FolderReader(folder)
    assert reader.newEvents() == []
    folder.append_event({"event": "start"})
    with folder.progress_file.open("a", encoding="utf-8") as file:
        file.write('{"event": "epo')
    assert [event["event"] for event in reader.newEvents()] == ["start"]
    with folder.progress_file.open("a", encoding="utf-8") as file:
        file.write('ch", "epoch": 1}\nbroken{\n')
    assert reader.newEvents() == [{"event": "epoch", "epoch": 1}]
    folder.progress_file.write_text('{"event": "start"}\n', encoding="utf-8")
    assert reader.newEvents() == [{"event": "start"}]


@pytest.mark.parametrize(
    ("status", "age", "abandoned"),
    [
        ("running", 100, True),
        ("running", 1, False),
        ("paused", 100, True),
        ("finished", 100, False),
        ("prepared", 100, False),
    ],
)
def test_a_job_whose_process_is_gone_is_abandoned_unless_it_ended_or_runs_elsewhere(tmp_path, status, age, abandoned):
    folder = WatchedFolder(tmp_path)
    gone = subprocess.Popen(["true"])
    gone.wait()
    state = {"status": status, "updated": time.time() - age, "process": gone.pid}
    folder.state_file.write_text(json.dumps(state), encoding="utf-8")
    assert FolderReader(folder).isAbandoned() is abandoned


def test_a_process_that_dies_before_it_says_anything_is_noticed(tmp_path):
    folder = WatchedFolder(tmp_path)
    process = startProcess(["train", "--run", str(tmp_path / "none")], tmp_path / LOG_NAME)
    reader = FolderReader(folder, process)
    assert waitUntil(reader.isAbandoned)
    assert process.lastWords().startswith("Error: ")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", ""),
        ("Training.\nError: the disk is full.\n", "Error: the disk is full."),
        ("Traceback (most recent call last):\n  File\nValueError: 7\n", "ValueError: 7"),
        ("MemoryError\nerror: [/opt/Slicer/bin/python-real] exit abnormally - Report the problem.\n", "MemoryError"),
        ("error: [C:/Slicer/bin/python-real.exe] exit abnormally - Report the problem.\n", ""),
    ],
)
def test_the_last_words_are_those_of_the_process_and_not_of_its_launcher(output, expected):
    assert lastSentence(output) == expected


def test_a_living_process_is_not_abandoned(tmp_path):
    folder = WatchedFolder(tmp_path)
    folder.write_state(Status.RUNNING, share=0.5)
    state = folder.read_state() | {"updated": time.time() - 1000, "process": os.getpid()}
    folder.state_file.write_text(json.dumps(state), encoding="utf-8")
    process = startProcess(["benchmark"], tmp_path / LOG_NAME)
    try:
        assert not FolderReader(folder, process).isAbandoned()
    finally:
        process.kill()
    assert FolderReader(folder, process).isAbandoned()
