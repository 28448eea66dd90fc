"""Run the modules' self-tests inside Slicer: the test classes of the module files and of their Testing/Python folders.

Slicer --testing --additional-module-paths AIDETraining AIDESegmentation --python-script Testing/run_self_tests.py

Slicer ends with exit code 1 if a test fails or a module has none.
"""

import re
import sys
import traceback
import unittest
from pathlib import Path

import slicer

REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = ("AIDETraining", "AIDESegmentation")


def suite_of(module: str) -> unittest.TestSuite:
    """Return the tests of a module and of its test files."""
    folder = REPOSITORY / module / "Testing" / "Python"
    sys.path.insert(0, str(folder))
    # Files of test functions are for pytest, which Slicer does not have.
    pattern = re.compile(r"^class .*(TestCase|ModuleTest)\):", re.MULTILINE)
    files = [path for path in sorted(folder.glob("test_*.py")) if pattern.search(path.read_text(encoding="utf-8"))]
    names = [module, *(path.stem for path in files)]
    return unittest.TestSuite(unittest.TestLoader().loadTestsFromName(name) for name in names)


def run() -> bool:
    """Run everything and return whether all passed."""
    passed = True
    for module in MODULES:
        suite = suite_of(module)
        count = suite.countTestCases()
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
        print(f"{module}: {count} tests", flush=True)
        passed = passed and result.wasSuccessful() and count > 0
    return passed


if __name__ == "__main__":
    try:
        code = slicer.util.EXIT_SUCCESS if run() else slicer.util.EXIT_FAILURE
    except Exception:
        traceback.print_exc()
        code = slicer.util.EXIT_FAILURE
    slicer.util.exit(code)
