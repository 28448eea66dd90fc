"""The machine that an experiment ran on, in words that name no host."""

from __future__ import annotations

import os
import platform

import torch


def describe_machine() -> str:
    """Return system, cores, GPU if any, and the versions that the figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{platform.system()}, {platform.machine()}, {cores} CPU cores{gpu}; Python {platform.python_version()}, "
        f"PyTorch {torch.__version__}"
    )
