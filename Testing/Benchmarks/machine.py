"""The machine that an experiment ran on, in words that name no host."""

from __future__ import annotations

import os
import platform

import torch


def describe_machine() -> str:
    """Return system, cores and their vector instructions, GPU if any, and the versions that the figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    instructions = torch.backends.cpu.get_cpu_capability()
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}"
    return f"{platform.system()}, {platform.machine()}, {cores} CPU cores with {instructions}{gpu}; {versions}"
