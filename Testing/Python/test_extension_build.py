"""The extension as CMake installs it: every file is there, none is hidden by another, and the library runs from there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

PACKAGES = ("AIDELib", "AIDESlicer")
MODULES = ("AIDETraining", "AIDESegmentation")

pytestmark = pytest.mark.skipif(
    shutil.which("cmake") is None or not any(shutil.which(name) for name in ("cc", "gcc", "clang", "cl")),
    reason="CMake and a C compiler are needed to configure the extension (Debian: apt-get install cmake g++)",
)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return the build folder and the installed modules' folder."""
    folder = tmp_path_factory.mktemp("extension")
    configure = [
        "cmake",
        "-S",
        REPOSITORY,
        "-B",
        folder / "build",
        f"-DSlicer_DIR={REPOSITORY}/Testing/CMake/FakeSlicer",
    ]
    for command in (configure, ["cmake", "--install", folder / "build", "--prefix", folder / "installed"]):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
    return folder / "build", folder / "installed" / "lib" / "qt-scripted-modules"


def source_files(folder: str) -> set[str]:
    """Return the files of a package or module that users get, relative to it."""
    root = REPOSITORY / folder
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {
        path.as_posix()
        for path in files
        if path.parts[0] != "Testing" and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_installed_whole(build, package):
    installed = {path.relative_to(build[1] / package).as_posix() for path in (build[1] / package).rglob("*.*")}
    assert installed == source_files(package)


def test_modules_are_installed_whole_and_side_by_side(build):
    installed = {path.relative_to(build[1]).as_posix() for path in build[1].rglob("*.*")}
    wanted = [file for module in MODULES for file in source_files(module)]
    assert len(wanted) == len(set(wanted)), "two modules have a file of the same name"
    assert {path for path in installed if path.split("/")[0] not in PACKAGES} == set(wanted)
    for module in MODULES:
        assert f"{module}.py" in installed
        assert f"Resources/Icons/{module}.png" in installed
        assert any(path.startswith("Resources/UI/") for path in source_files(module))


def test_every_file_with_test_classes_is_registered(build):
    registered = {Path(line) for line in (build[0] / "unittests.txt").read_text().splitlines()}
    pattern = re.compile(r"^class .*(TestCase|ModuleTest)\):", re.MULTILINE)
    for module in MODULES:
        assert REPOSITORY / module / f"{module}.py" in registered
        for path in (REPOSITORY / module / "Testing" / "Python").glob("test_*.py"):
            assert (path in registered) == bool(pattern.search(path.read_text(encoding="utf-8"))), path


def test_library_runs_from_where_it_is_installed(build):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-c", "import AIDELib; print(AIDELib.__file__)"]
    result = subprocess.run(command, cwd=build[1], capture_output=True, text=True, env=environment, check=True)
    assert Path(result.stdout.strip()).resolve() == (build[1] / "AIDELib" / "__init__.py").resolve()
    command = [sys.executable, "-m", "AIDELib", "train", "--help"]
    result = subprocess.run(command, cwd=build[1], capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0, result.stderr
    assert "--run" in result.stdout
