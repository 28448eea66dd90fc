"""Run by test_several_processes under torchrun: the second process cannot read a case."""

import os
import sys

from AIDELib import run_slices
from AIDELib.commands import main
from AIDELib.errors import VolumeError


def fail(*arguments):
    raise VolumeError("Case 'p1': the drive of this machine is gone.")


if __name__ == "__main__":
    if os.environ["RANK"] == "1":
        run_slices.cut_cases = fail
    sys.exit(main(sys.argv[1:]))
