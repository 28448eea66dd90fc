import pytest

from AIDELib import memory
from AIDELib.cgroup_memory import left_of_cgroups

MB = 2**20


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes the process's groups and the numbers of groups, and returns what is left."""

    def describe(lines, files) -> int | None:
        process, groups = tmp_path / "proc", tmp_path / "cgroup"
        process.mkdir()
        (process / "cgroup").write_text("\n".join(lines) + "\n")
        for name, content in files.items():
            path = groups / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        return left_of_cgroups(process, groups)

    return describe


def test_version_2(machine):
    files = {
        "pod/own/memory.max": 1000 * MB,
        "pod/own/memory.current": 700 * MB,
        "pod/own/memory.stat": f"anon {500 * MB}\ninactive_file {150 * MB}\nactive_file {50 * MB}",
    }
    assert machine(["0::/pod/own"], files) == 450 * MB


def test_the_tightest_group_around_the_process_counts(machine):
    files = {
        "job/memory.max": 300 * MB,
        "job/memory.current": 200 * MB,
        "job/step/memory.max": "max",
        "job/step/memory.current": 100 * MB,
        "other/memory.max": 1,
        "other/memory.current": 0,
    }
    assert machine(["0::/job/step"], files) == 100 * MB


@pytest.mark.parametrize("lines", [["4:memory:/docker/abc", "0::/"], ["3:cpu,memory:/docker/abc"]])
def test_version_1_as_a_container_sees_it(machine, lines):
    # The path is the host's; the container sees its own group as the root.
    files = {
        "memory/memory.limit_in_bytes": 500 * MB,
        "memory/memory.usage_in_bytes": 450 * MB,
        "memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {30 * MB}",
    }
    assert machine(lines, files) == 80 * MB


def test_unlimited_groups_say_nothing(machine):
    files = {
        "memory.max": "max",
        "memory.current": 5,
        "memory/memory.limit_in_bytes": 0x7FFFFFFFFFFFF000,
        "memory/memory.usage_in_bytes": 5,
    }
    assert machine(["4:memory:/", "0::/"], files) is None


def test_a_group_that_is_full_leaves_nothing(machine):
    assert machine(["0::/"], {"memory.max": 10, "memory.current": 12}) == 0


def test_without_control_groups(tmp_path):
    assert left_of_cgroups(tmp_path / "no", tmp_path / "none") is None


def test_the_tightest_limit_counts(monkeypatch):
    monkeypatch.setattr(memory, "left_of_cgroups", lambda: 7)
    assert memory.available_memory() == 7
