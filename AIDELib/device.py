"""The device that computes."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from AIDELib.errors import SettingsError
from AIDELib.settings import Precision

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class AvailableDevice:
    """A device of this machine.

    Attributes:
        name: as `choose_device` takes it.
        description: for the user.
        free_memory_gb, total_memory_gb: of the device in GB (2^30 bytes); None where the system does not tell.
    """

    name: str
    description: str
    free_memory_gb: float | None
    total_memory_gb: float | None


def available_devices() -> list[AvailableDevice]:
    """Return the devices of this machine, the one that "auto" takes first."""
    return [_describe_available(torch.device(name)) for name, present in _presence().items() if present]


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" takes an NVIDIA GPU, else Apple's, else the CPU.

    Raises:
        SettingsError: the name is unknown or this machine has no such device.
    """
    if name not in DEVICE_NAMES:
        raise SettingsError(f"There is no device '{name}'. The devices are: {', '.join(DEVICE_NAMES)}.")
    available = _presence()
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


def fastest_precision(device: torch.device) -> Precision:
    """Return the arithmetic in which a device computes fastest, with the same results but for rounding."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return Precision.BFLOAT16
    return Precision.FLOAT32


def precision_on(device: torch.device, wanted: Precision) -> Precision:
    """Return the arithmetic in which a device computes: what is wanted, or for AUTO its fastest."""
    return fastest_precision(device) if wanted is Precision.AUTO else wanted


def make_deterministic() -> None:
    """Let torch choose only algorithms that give the same result every time."""
    # cuBLAS is reproducible only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    # What is never read before it is written need not be filled, which torch does as a safeguard.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _presence() -> dict[str, bool]:
    return {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}


def _describe_available(device: torch.device) -> AvailableDevice:
    free, total = _memory(device)
    return AvailableDevice(device.type, describe_device(device), free, total)


def _memory(device: torch.device) -> tuple[float | None, float | None]:
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return round(free / 2**30, 2), round(total / 2**30, 2)
    try:
        page = os.sysconf("SC_PAGE_SIZE") / 2**30
        total_gb = round(os.sysconf("SC_PHYS_PAGES") * page, 2)
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None, None
    try:
        return round(os.sysconf("SC_AVPHYS_PAGES") * page, 2), total_gb
    except (ValueError, OSError):  # macOS does not tell what is free
        return None, total_gb
