"""The device that computes."""

from __future__ import annotations

import os

import torch

from AIDELib.errors import SettingsError

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" takes an NVIDIA GPU, else Apple's, else the CPU.

    Raises:
        SettingsError: the name is unknown or this machine has no such device.
    """
    if name not in DEVICE_NAMES:
        raise SettingsError(f"There is no device '{name}'. The devices are: {', '.join(DEVICE_NAMES)}.")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, present in available.items() if present))
    if not available[name]:
        raise SettingsError(f"This machine has no usable {name} device; choose 'auto' or 'cpu'.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Return the device's name for the user, with its free memory where the driver tells it."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)} ({free / 2**30:.1f} of {total / 2**30:.1f} GB free)"
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU ({torch.get_num_threads()} threads)"


def make_deterministic() -> None:
    """Let torch choose only algorithms that give the same result every time."""
    # cuBLAS is reproducible only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
