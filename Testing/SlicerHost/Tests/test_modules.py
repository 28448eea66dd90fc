"""What Slicer's generic tests and "Reload and Test" do, for the modules of this repository."""

import time

import pytest
import qt
import slicer

from Testing import run_self_tests
from Testing.SlicerHost.pytest_plugin import REPOSITORY


@pytest.fixture(params=run_self_tests.MODULES)
def module(request, scripted_module):
    return scripted_module(REPOSITORY / request.param / f"{request.param}.py")


def test_module_describes_itself(module):
    assert module.title.startswith("AIDE")
    assert list(module.categories) == ["Segmentation"]
    assert module.helpText
    assert module.acknowledgementText
    assert module.contributors
    assert not module.icon.isNull()
    assert module.icon.availableSizes()[0] == qt.QSize(128, 128)


def test_panel_opens_fast_and_again_after_another_module(module):
    slicer.util.selectModule(module.name)
    slicer.util.selectModule("SegmentEditor")
    start = time.process_time()
    slicer.util.selectModule(module.name)
    slicer.app.processEvents()
    assert time.process_time() - start < 1


def test_scene_can_be_closed_and_the_module_reloaded_while_it_is_open(module):
    slicer.util.selectModule(module.name)
    slicer.mrmlScene.Clear()
    before = slicer.util.getModuleWidget(module.name)
    slicer.util.reloadScriptedModule(module.name)
    assert slicer.util.getModuleWidget(module.name) is not before
    slicer.app.processEvents()
    slicer.mrmlScene.Clear()


def test_self_tests_are_found_as_slicer_finds_them(module):
    assert run_self_tests.suite_of(module.name).countTestCases() > 1
