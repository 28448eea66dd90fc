"""Loads the module for each test outside of Slicer, where it is loaded already."""

from pathlib import Path

import pytest

MODULE = Path(__file__).parents[2] / "AIDETraining.py"
SEGMENTATION = MODULE.parents[1] / "AIDESegmentation" / "AIDESegmentation.py"


@pytest.fixture(autouse=True)
def _module(scripted_module):
    scripted_module(MODULE)
    if SEGMENTATION.is_file():
        scripted_module(SEGMENTATION)
