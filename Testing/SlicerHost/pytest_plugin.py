"""pytest plugin: starts the host for tests of the modules, gives each an empty scene, fails those whose slots raised."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from . import host

REPOSITORY = Path(__file__).parents[2]
NEED_HOST = tuple(
    REPOSITORY / name for name in ("AIDETraining", "AIDESegmentation", "AIDESlicer", "Testing/SlicerHost")
)


def _needs_host(path: Path) -> bool:
    return any(folder in path.parents for folder in NEED_HOST)


def pytest_collect_file(file_path: Path) -> None:
    """Start the host before a file is imported that imports `slicer`."""
    if file_path.suffix == ".py" and _needs_host(file_path) and not host.missing_packages():
        for folder in (file_path.parent, *(REPOSITORY / name for name in ("AIDETraining", "AIDESegmentation"))):
            if str(folder) not in sys.path:
                sys.path.append(str(folder))
        host.start()


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> None:
    """Skip a file that needs the host where it cannot start."""
    if _needs_host(module_path):
        reason = host.missing_packages()
        if reason and not os.environ.get("AIDE_REQUIRE_SLICER_HOST"):
            pytest.skip(f"The stand-in for Slicer cannot start: {reason}", allow_module_level=True)


def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> Any:
    """Leave out the base class of self-tests, which modules import by name."""
    if name == "ScriptedLoadableModuleTest":
        return []
    return None


@pytest.fixture
def slicer_app():
    """Return `slicer.app` with an empty scene; fail the test if a slot or an observer raised in it."""
    app = host.start()
    import slicer

    raised: list[str] = []
    previous = sys.excepthook
    sys.excepthook = lambda kind, error, trace: raised.append("".join(traceback.format_exception(kind, error, trace)))
    try:
        yield app
        app.processEvents()
    finally:
        sys.excepthook = previous
        slicer.mrmlScene.Clear()
    assert not raised, "Raised in a slot or an observer:\n" + "\n".join(raised)


@pytest.fixture(autouse=True)
def _fresh_scene(request: Any):
    """Give tests in the modules' folders `slicer_app` without naming it, self-test classes included."""
    if _needs_host(request.path):
        request.getfixturevalue("slicer_app")


@pytest.fixture
def scripted_module(slicer_app):
    """Return a function that loads the module at a path and returns it (`slicer.modules.<name>`)."""
    loaded = []

    def load(path: str | Path) -> Any:
        module = slicer_app.moduleManager().load_scripted_module(str(path))
        loaded.append(module.name)
        return module

    yield load
    for name in loaded:
        slicer_app.moduleManager().unload_scripted_module(name)
