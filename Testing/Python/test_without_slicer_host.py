"""Where what stands in for Slicer cannot start, tests of the modules are skipped, saying why, unless they are demanded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEST_FILE = "Testing/SlicerHost/Tests/test_parameter_node.py"
RUN = "import sys; sys.modules[{missing!r}] = None; import pytest; sys.exit(pytest.main(['-rs', {file!r}]))"


def run_without(missing, **environment):
    variables = {key: value for key, value in os.environ.items() if key != "AIDE_REQUIRE_SLICER_HOST"}
    command = [sys.executable, "-c", RUN.format(missing=missing, file=TEST_FILE)]
    return subprocess.run(
        command, cwd=REPOSITORY, env={**variables, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("slicer_core", "slicer-core is not installed (pip install -e .[test])"),
        ("PySide6", "PySide6-Essentials is not installed (pip install -e .[test])"),
        ("PySide6.QtWidgets", "a system library is missing (Debian: apt-get install libegl1 libgl1 libxkbcommon0)"),
    ],
)
def test_tests_are_skipped_with_the_reason(missing, reason):
    result = run_without(missing)
    assert "1 skipped" in result.stdout, result.stdout + result.stderr
    assert reason in result.stdout


def test_checks_that_need_them_fail():
    result = run_without("slicer_core", AIDE_REQUIRE_SLICER_HOST="1")
    assert result.returncode not in (0, 5)
