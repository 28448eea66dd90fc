"""Where the slices of a training lie: on the device that computes, in main memory, or in a file.

Wherever they lie, a batch reaches the device with the same numbers in the same order of memory: the results are equal to the
last bit.
"""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from AIDELib.memory import available_memory, describe_bytes
from AIDELib.transfer import on_device

# The rest of a GPU's memory is for the networks and what they compute.
_SHARE_OF_GPU = 0.5
# Volumes that were cut, and the slices made of them, lie in main memory at the same time.
_SHARE_OF_MAIN_MEMORY = 0.4


class Place(str, Enum):
    """Where slices lie."""

    DEVICE = "device"
    MAIN_MEMORY = "main memory"
    FILE = "file"


@dataclass(frozen=True)
class SliceStorage:
    """Makes room for slices and brings batches of them to the device.

    Attributes:
        device: the device that computes.
        place: where the slices lie.
        folder: folder of the files, which vanish with the process; None for the system's own for temporary files.
    """

    device: torch.device
    place: Place = Place.DEVICE
    folder: Path | None = None

    @classmethod
    def choose(cls, needed: int, device: torch.device, folder: Path, processes: int = 1) -> SliceStorage:
        """Return the fastest storage with room for slices.

        Args:
            needed: bytes of the images and labels.
            folder: where files may be written.
            processes: that share this machine's main memory.
        """
        if device.type == "cuda" and needed <= _SHARE_OF_GPU * torch.cuda.mem_get_info(device)[0]:
            return cls(device)
        available = available_memory()
        if available is not None and needed * processes > _SHARE_OF_MAIN_MEMORY * available:
            return cls(device, Place.FILE, folder)
        return cls(device) if device.type != "cuda" else cls(device, Place.MAIN_MEMORY)

    def notice(self, needed: int) -> str | None:
        """Return what the user is told of slices that do not lie where they are used fastest."""
        if self.place is Place.DEVICE:
            return None
        place = "main memory" if self.place is Place.MAIN_MEMORY else f"a file in {self.folder}"
        return (
            f"The slices take {describe_bytes(needed)}, more than the free memory allows; they lie in {place} and are "
            "brought to the device batch by batch: slower, with the same results."
        )

    def images(self, count: int, channels: int, height: int, width: int) -> Tensor:
        """Return images (count, channels, height, width) of zeros in the computer's memory, the channels innermost."""
        if channels == 1:
            return self._zeros((count, 1, height, width), torch.float32)
        return self._zeros((count, height, width, channels), torch.float32).permute(0, 3, 1, 2)

    def labels(self, count: int, height: int, width: int) -> Tensor:
        """Return labels (count, height, width) of zeros in the computer's memory."""
        return self._zeros((count, height, width), torch.uint8)

    def settle(self, tensor: Tensor) -> Tensor:
        """Return a filled tensor where slices are to lie."""
        return tensor.to(self.device) if self.place is Place.DEVICE else tensor

    def copy(self, tensor: Tensor) -> Tensor:
        """Return a copy of a settled tensor, as settled."""
        if self.place is not Place.FILE:
            return tensor.clone()
        return self._zeros(tensor.shape, tensor.dtype).copy_(tensor)

    def keep(self, array: NDArray) -> NDArray:
        """Return an array that waits to become slices, out of main memory where that is too small for all."""
        if self.place is not Place.FILE or array.size == 0:
            return array
        kept = self._file(array.shape, array.dtype)
        kept[:] = array
        return kept

    def take(self, tensor: Tensor, indices: Sequence[int]) -> Tensor:
        """Return some slices of a settled tensor on the device."""
        return on_device(tensor[on_device(torch.tensor(indices), tensor.device)], self.device)

    def _zeros(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        if self.place is Place.FILE and 0 not in shape:
            # A file that was never written to reads as zeros.
            return torch.from_numpy(self._file(shape, torch.empty(0, dtype=dtype).numpy().dtype))
        return torch.zeros(*shape, dtype=dtype)

    def _file(self, shape: Sequence[int], dtype: np.dtype) -> NDArray:
        with tempfile.TemporaryFile(dir=self.folder) as file:
            _reserve(file.fileno(), math.prod(shape) * dtype.itemsize, self.folder)
            return np.memmap(file, dtype, "w+", shape=tuple(shape))


def _reserve(handle: int, size: int, folder: Path | None) -> None:
    """Take the room that a mapped file will need: where the disk were full later, writing would end the process.

    Raises:
        OSError: the disk has not that much room.
    """
    if not hasattr(os, "posix_fallocate"):  # Windows and macOS
        return
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        # Some file systems cannot.
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            what = f"{os.strerror(error.errno or 0)} for {describe_bytes(size)} of slices"
            raise OSError(error.errno, what, str(folder or tempfile.gettempdir())) from None
