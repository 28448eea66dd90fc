"""`python -m AIDELib COMMAND`: the command line."""

from __future__ import annotations

import sys

from AIDELib.commands import main

if __name__ == "__main__":
    sys.exit(main())
