import json
import platform
import subprocess
import sys
import time

import pytest
from case_files import REPOSITORY, write_dataset

from AIDELib import folder_lock
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import RunError
from AIDELib.folder_lock import FolderLock, is_locked, read_lock_owner
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run

HOLDER = """
import sys, time
from pathlib import Path
from AIDELib.folder_lock import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path/lock.json."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock.json")], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def quick_beats(monkeypatch):
    monkeypatch.setattr(folder_lock, "SECONDS_BETWEEN_BEATS", 0.1)
    monkeypatch.setattr(folder_lock, "SECONDS_WITHOUT_BEAT", 1.0)


def test_a_second_process_is_told_who_works_in_the_folder(tmp_path, holder):
    file = tmp_path / "lock.json"
    assert is_locked(file)
    with pytest.raises(RunError, match=rf"Another process works in .*process {holder.pid} on {platform.node()}, since"):
        FolderLock(file).__enter__()
    assert read_lock_owner(file).process == holder.pid


def test_the_lock_of_a_killed_process_is_free_and_the_takeover_is_said(tmp_path, holder, caplog):
    file = tmp_path / "lock.json"
    holder.kill()
    holder.wait()
    assert not is_locked(file)
    with FolderLock(file):
        assert f"was left by process {holder.pid}" in caplog.text
    assert not read_lock_owner(file).at_work


def test_a_lock_given_back_is_taken_silently(tmp_path, caplog):
    for _ in range(2):
        with FolderLock(tmp_path / "lock.json"):
            assert is_locked(tmp_path / "lock.json")
    assert not caplog.text


@pytest.mark.parametrize("clock", [0.0, 4e9])
def test_clocks_that_jump_change_nothing(tmp_path, holder, monkeypatch, clock):
    monkeypatch.setattr(time, "time", lambda: clock)
    with pytest.raises(RunError, match="Another process"):
        FolderLock(tmp_path / "lock.json").__enter__()


def write_foreign_lock(file, beat, at_work=True):
    entry = {
        "process": 7,
        "host": "another-machine",
        "started": "2026-01-01 10:00:00",
        "beat": beat,
        "at_work": at_work,
    }
    file.write_text(json.dumps(entry).ljust(1023) + "\n")


def test_another_machines_process_that_still_counts_is_respected(tmp_path, quick_beats, monkeypatch):
    file = tmp_path / "lock.json"
    write_foreign_lock(file, 1)
    own_sleep = time.sleep

    def sleep_while_the_other_counts(seconds):
        write_foreign_lock(file, 2)
        own_sleep(seconds)

    monkeypatch.setattr(folder_lock.time, "sleep", sleep_while_the_other_counts)
    with pytest.raises(RunError, match="process 7 on another-machine, since 2026-01-01"):
        FolderLock(file).__enter__()


def test_another_machines_process_that_no_longer_counts_is_replaced(tmp_path, quick_beats, caplog):
    write_foreign_lock(tmp_path / "lock.json", 1)
    with FolderLock(tmp_path / "lock.json"):
        assert "was left by process 7 on another-machine" in caplog.text
        first = read_lock_owner(tmp_path / "lock.json").beat
        time.sleep(0.5)
        assert read_lock_owner(tmp_path / "lock.json").beat > first


def test_a_damaged_lock_file_locks_nobody_out(tmp_path):
    (tmp_path / "lock.json").write_bytes(b"\xff{")
    with FolderLock(tmp_path / "lock.json"):
        assert read_lock_owner(tmp_path / "lock.json").at_work


def test_two_trainings_in_one_run_folder(tmp_path, tiny_settings):
    from AIDELib.trainer import train

    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(write_dataset(tmp_path, "HL")), run, RunDescription("aide", tiny_settings))
    before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    with run.occupied():
        before["lock.json"] = run.lock_file.read_bytes()
        with pytest.raises(RunError, match="Another process works in"):
            train(run, "cpu")
        with pytest.raises(RunError, match="Another process works in"):
            run.extend(3)
        after = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    assert after == before
