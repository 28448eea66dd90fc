from pathlib import Path

import pytest

from AIDELib.prediction_files import probability_files
from AIDELib.structure import Structure


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["liver"], ["p.nii.gz"]),
        (["liver", "left kidney"], ["p_liver.nii.gz", "p_left-kidney.nii.gz"]),
        (["肝", "脾"], ["p_肝.nii.gz", "p_脾.nii.gz"]),
        (["печень", "мочевой пузырь"], ["p_печень.nii.gz", "p_мочевой-пузырь.nii.gz"]),
        (["a b", "a-b", "c"], ["p_1-a-b.nii.gz", "p_2-a-b.nii.gz", "p_3-c.nii.gz"]),
        (["Liver", "liver"], ["p_1-Liver.nii.gz", "p_2-liver.nii.gz"]),
        (["+", "-"], ["p_1.nii.gz", "p_2.nii.gz"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_each_structure_has_a_file_of_its_own(names, expected):
    structures = [Structure(name, (index + 1,), (0, 0, 0)) for index, name in enumerate(names)]
    assert probability_files(Path("folder/p.nii.gz"), structures) == [Path("folder") / name for name in expected]
