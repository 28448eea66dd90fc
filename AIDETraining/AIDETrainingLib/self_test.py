"""The module's tests run inside the application."""

from __future__ import annotations

import unittest
from pathlib import Path


def runSelfTests(folder: Path) -> None:
    """Run every test file of a folder; an installed extension has none.

    Raises:
        AssertionError: a test failed; the message lists which.
    """
    if not folder.is_dir():
        return
    suite = unittest.TestLoader().discover(str(folder), pattern="test_*.py", top_level_dir=str(folder))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        failed = [str(test) for test, _traceback in [*result.failures, *result.errors]]
        raise AssertionError(f"{len(failed)} of {result.testsRun} tests failed: {', '.join(failed)}")
