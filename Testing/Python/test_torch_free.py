import subprocess
import sys

import pytest
from case_files import REPOSITORY

# What a Slicer module imports in Slicer's own process, where torch may not be installed yet.
MODULES = (
    "settings", "presets", "case", "dataset", "dataset_file", "structure", "standardization", "method_name", "errors",
    "watched_folder", "run_folder", "run_preparation", "review", "review_decision", "volume", "grid", "label",
    "case_volumes", "segmentation_file", "dicom_segmentation", "readers", "readers.selection", "writers",
    "model_description", "prediction_job",
)  # fmt: skip
NOT_IN_SLICER = ("highdicom", "torch", "safetensors", "skimage", "matplotlib")


@pytest.mark.parametrize("module", MODULES)
def test_what_slicer_imports_needs_nothing_that_slicer_lacks(module):
    code = f"import sys; sys.modules.update(dict.fromkeys({NOT_IN_SLICER!r})); import AIDELib.{module}"
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
