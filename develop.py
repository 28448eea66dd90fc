#!/usr/bin/env python3
"""Set up an environment of its own and run the main job or the checks in it. Needs Python 3.11 or 3.12 and no more.

python3 develop.py demo [dataset.json]   import, train, segment, measure; on generated patients by default
python3 develop.py test                  lint, types and all tests
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent
ENVIRONMENT = REPOSITORY / ".venv"
SUPPORTED = ((3, 11), (3, 12))
DEMO_FOLDER = REPOSITORY / "AIDE-demo"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="train on a dataset.json, or on generated patients, and show the results")
    demo.add_argument("dataset", type=Path, nargs="?", help="dataset.json; generated patients by default")
    demo.add_argument("--output", type=Path, default=DEMO_FOLDER, help="folder for the results (emptied first)")
    commands.add_parser("test", help="run every check and test")
    arguments = parser.parse_args()
    python = prepare_environment(interpreter())
    if arguments.command == "test":
        return run_checks(python)
    given = [str(arguments.dataset.resolve())] if arguments.dataset else []
    output = str(arguments.output.resolve())
    return subprocess.call([python, "-m", "Testing.demo", *given, "--output", output], cwd=REPOSITORY)


def interpreter() -> str:
    """Return a supported Python: this one, or one found by its usual name."""
    if sys.version_info[:2] in SUPPORTED:
        return sys.executable
    for major, minor in reversed(SUPPORTED):
        found = shutil.which(f"python{major}.{minor}")
        # A name can lead to a launcher of a version that is not installed.
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return found
    names = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
    sys.exit(f"Python {names} is needed; this is {sys.version.split()[0]}, and no other one was found.")


def prepare_environment(base_python: str) -> str:
    """Return the Python of the environment, made and filled where it is not yet."""
    folder = "Scripts" if os.name == "nt" else "bin"
    python = str(ENVIRONMENT / folder / ("python.exe" if os.name == "nt" else "python"))
    requirements = (REPOSITORY / "pyproject.toml").read_text() + (REPOSITORY / "Testing/constraints.txt").read_text()
    mark = ENVIRONMENT / "installed-for.txt"
    if mark.exists() and mark.read_text() == requirements and Path(python).exists():
        return python
    print(f"Setting up {ENVIRONMENT} (once; downloads PyTorch and others) …", flush=True)
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    create_environment(base_python)
    constraints = ["-c", str(REPOSITORY / "Testing/constraints.txt")]
    # torch first and by itself: what else asks for it is then satisfied with the one that is there.
    for packages in (["torch"], ["-e", f"{REPOSITORY}[test]"]):
        subprocess.check_call(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *constraints, *packages]
        )
    mark.write_text(requirements)
    return python


def create_environment(base_python: str) -> None:
    """Make the environment; Debian ships Python without what makes pip in it."""
    if subprocess.run([base_python, "-m", "venv", str(ENVIRONMENT)], capture_output=True, check=False).returncode == 0:
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    if importlib.util.find_spec("pip") is None:
        sys.exit("This Python can make no environment with pip. On Debian: apt install python3-venv")
    subprocess.check_call([base_python, "-m", "venv", "--without-pip", str(ENVIRONMENT)])
    target = str(ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    subprocess.check_call([base_python, "-m", "pip", "--python", target, "install", "-q", "pip", "setuptools"])


def run_checks(python: str) -> int:
    """Run all checks, also after one has failed, and return 0 if all passed."""
    checks = {
        "lint": ["ruff", "check", "."],
        "format": ["ruff", "format", "--check", "."],
        "types": ["mypy"],
        # One process each: what one module leaves in the application is not the next one's concern.
        # A process for each core, with one thread each; a file's tests share what its first one prepares.
        "tests of the library": ["pytest", "-n", "auto", "--dist", "loadfile", "Testing/Python"],
        "tests of the stand-in for Slicer": ["pytest", "Testing/SlicerHost/Tests"],
        "tests of AIDE Training": ["pytest", "AIDETraining/Testing/Python"],
        "tests of AIDE Segmentation": ["pytest", "AIDESegmentation/Testing/Python"],
    }
    failed = []
    for name, command in checks.items():
        print(f"== {name}", flush=True)
        if subprocess.call([python, "-m", *command], cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"}):
            failed.append(name)
    print(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
