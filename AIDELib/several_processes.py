"""Processes that `torchrun` started train one run together, by torch.distributed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from AIDELib.collectives import joined
from AIDELib.common_batch_norm import with_common_batch_norm
from AIDELib.errors import FailedElsewhere, SettingsError
from AIDELib.process_group import ALONE, Item, ProcessGroup, Result
from AIDELib.progress import StopRequested

# While the leader waits for a pause to end, the others wait for the leader; torchrun notices processes that die.
_PATIENCE = timedelta(days=365)
_PATIENCE_AFTER_FAILURE = timedelta(seconds=30)
_FAILURE = "failure"
_LEADER_LEFT = "leader left"
# What gloo says in a process whose counterpart is gone.
_LOST_CONNECTION = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Socket closed")


class SeveralProcesses(ProcessGroup):
    """This process among several.

    Args:
        chosen: the kind of device that computes.

    Raises:
        SettingsError: processes cannot share that kind of device, or there are too few of it.
    """

    def __init__(self, chosen: torch.device) -> None:
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.is_leader = self.rank == 0
        self._has_ended = False
        self._device = self.device(chosen)
        self._store = dist.TCPStore(
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=self.is_leader and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True",
            wait_for_workers=False,
        )
        self._notes = dist.PrefixStore("AIDE", self._store)
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)
        backend = "nccl" if self._device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=self._store, rank=self.rank, world_size=self.size, timeout=_PATIENCE)
        # What is decided on the host does not wait for the GPU.
        self._host = dist.new_group(backend="gloo", timeout=_PATIENCE)

    def device(self, chosen: torch.device) -> torch.device:
        if chosen.type == "cpu":
            return chosen
        if chosen.type != "cuda":
            raise SettingsError(
                f"Several processes train on CPUs or NVIDIA GPUs, not on {chosen.type}; add --device cpu."
            )
        own, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if own >= there:
            raise SettingsError(
                f"This machine has {there} GPU(s) for {os.environ['LOCAL_WORLD_SIZE']} processes. Start as many processes "
                "as there are GPUs."
            )
        return torch.device("cuda", own)

    def lead(self, action: Callable[[], object]) -> None:
        stop = torch.zeros(1, dtype=torch.uint8)
        if self.is_leader:
            try:
                action()
            except StopRequested:
                stop.fill_(1)
        dist.broadcast(stop, src=0, group=self._host)
        if stop.item():
            raise StopRequested

    def share(self, samples: Tensor) -> Tensor:
        each = -(-len(samples) // self.size)
        if each * self.size != len(samples):
            filling = samples[-1:].expand(each * self.size - len(samples), *samples.shape[1:])
            samples = torch.cat([samples, filling])
        return samples[self.rank * each : (self.rank + 1) * each]

    def gather(self, outputs: Tensor, count: int) -> Tensor:
        return joined(outputs)[:count]

    def add_up_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        total = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(total)
        parts = total.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))

    def with_common_statistics(self, network: nn.Module) -> nn.Module:
        return with_common_batch_norm(network)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        parts: list[list[Result]] = [[] for _ in range(self.size)]
        own = [function(item) for item in items[self.rank :: self.size]]
        dist.all_gather_object(parts, own, group=self._host)
        return [parts[index % self.size][index // self.size] for index in range(len(items))]

    @contextmanager
    def failing_together(self, explain: Callable[[BaseException], str]) -> Iterator[None]:
        try:
            yield
        except (StopRequested, KeyboardInterrupt):
            raise
        except BaseException as error:
            if self._has_ended:
                raise
            self._has_ended = True
            message = self._failure_elsewhere() or _describe_loss(error)
            if message is not None:
                raise FailedElsewhere(message) from None
            self._tell_failure(explain(error))
            raise

    def leave(self) -> None:
        """Part from the other processes; after a failure, only once the leader has written down what happened."""
        with suppress(RuntimeError):
            if self.is_leader:
                self._notes.set(_LEADER_LEFT, "")
            elif self._has_ended:
                # torchrun ends all others as soon as one process has failed.
                self._notes.wait([_LEADER_LEFT], _PATIENCE_AFTER_FAILURE)
        if dist.is_initialized() and not self._has_ended:
            dist.destroy_process_group()

    def _failure_elsewhere(self) -> str | None:
        with suppress(RuntimeError):
            if self._notes.check([_FAILURE]):
                return self._notes.get(_FAILURE).decode()
        return None

    def _tell_failure(self, message: str) -> None:
        with suppress(RuntimeError):
            self._notes.set(_FAILURE, message)
        # The others find their connections closed, whatever they wait for.
        dist.destroy_process_group(self._host)
        if self._device.type == "cpu":
            dist.destroy_process_group()


@contextmanager
def processes_of_torchrun(chosen: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started; without it, or with one process, this one is alone.

    Raises:
        SettingsError: processes cannot share that kind of device, or there are too few of it.
        FailedElsewhere: another process failed meanwhile.
    """
    if not dist.is_available() or not dist.is_torchelastic_launched() or os.environ.get("WORLD_SIZE") == "1":
        yield ALONE
        return
    group = SeveralProcesses(chosen)
    try:
        with group.failing_together(str):
            yield group
    finally:
        group.leave()


def _describe_loss(error: BaseException) -> str | None:
    if isinstance(error, RuntimeError) and any(words in str(error) for words in _LOST_CONNECTION):
        return "Another process of this training ended without a word: it was killed, or its machine is gone."
    return None
