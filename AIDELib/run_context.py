"""What all steps of a run's training work with."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from AIDELib.memory_thrift import MemoryThrift
from AIDELib.process_group import ProcessGroup
from AIDELib.progress import Progress
from AIDELib.run_folder import RunFolder


@dataclass(frozen=True)
class RunContext:
    """A run, where it is computed, and who is told.

    Attributes:
        run: the run.
        reviewed: the run whose labels people decided on: this one, or the one that it is the baseline of.
        device: what computes.
        progress: takes events and states.
        group: the processes that train together.
        thrift: how far memory is spared at the cost of time.
    """

    run: RunFolder
    reviewed: RunFolder
    device: torch.device
    progress: Progress
    group: ProcessGroup
    thrift: MemoryThrift = field(default_factory=MemoryThrift)

    def tell_step(self, done: int, total: int) -> None:
        """Report steps done; the leader alone.

        Raises:
            StopRequested: somebody wants the run to end.
        """
        self.group.lead(lambda: self.progress.step(done, total))
