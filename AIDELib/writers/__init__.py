"""Writers of public folder layouts, one file each: what AIDELib.readers reads of a folder, they write."""

from __future__ import annotations

from AIDELib.writers.decathlon import DECATHLON
from AIDELib.writers.nnunet import NNUNET

LAYOUT_WRITERS = {"nnunet": NNUNET, "decathlon": DECATHLON}
