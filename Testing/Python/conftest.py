"""What all tests of the library share."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from case_files import REPOSITORY

from AIDELib.presets import QUICK
from AIDELib.settings import Settings

REAL_DATA = Path(os.environ.get("AIDE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture
def tiny_settings() -> Settings:
    """Settings with which a training takes seconds."""
    return QUICK.replace(
        network_width=2,
        epochs=3,
        pretraining_epochs=2,
        iterations_per_epoch=4,
        batch_size=4,
        warm_up_epochs=2,
        correction_first_epoch=2,
        correction_interval=1,
        correction_share=0.5,
    )


@pytest.fixture
def real_data() -> Path:
    """The folder of real images, or a skip where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real images are not there ({REAL_DATA}); set AIDE_TEST_DATA to their folder")
    return REAL_DATA


@pytest.fixture(autouse=True)
def _same_chance_every_time() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that still use the global generator
