"""The processes that train one run together, and what they have to agree on.

Every process holds the networks and draws the same random numbers for the whole batch. Each one passes its share of the
samples through the networks and all exchange what comes out, so that losses, rankings and corrections are those of the
whole batch in every process and the methods need not know how many there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from AIDELib.errors import SettingsError

Item = TypeVar("Item")
Result = TypeVar("Result")


class ProcessGroup(ABC):
    """One or several processes.

    Attributes:
        size: number of processes.
        is_leader: whether this process is the one that writes the run folder and listens to requests.
    """

    size: int
    is_leader: bool

    def require_equal_shares(self, batch_size: int) -> None:
        """Check that every process gets as many samples of a batch.

        Raises:
            SettingsError: it does not.
        """
        if batch_size % self.size:
            raise SettingsError(
                f"batch_size is {batch_size}, which {self.size} processes cannot share equally. Choose a multiple of "
                f"{self.size}, or another number of processes."
            )

    @abstractmethod
    def device(self, chosen: torch.device) -> torch.device:
        """Return the device on which this process computes.

        Raises:
            SettingsError: there are not as many devices of that kind.
        """

    @abstractmethod
    def lead(self, action: Callable[[], object]) -> None:
        """Let the leader do something while the others wait.

        Raises:
            StopRequested: the leader's action raised it; all processes do then.
        """

    @abstractmethod
    def share(self, samples: Tensor) -> Tensor:
        """Return this process's part of samples (B, …): equal parts in the order of the processes; where B is not divisible,
        the last sample is repeated."""

    @abstractmethod
    def gather(self, outputs: Tensor, count: int) -> Tensor:
        """Return what all processes computed from their shares, in the order of the `count` samples.

        Its gradient in every process is that of the process's own share.
        """

    @abstractmethod
    def add_up_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace the gradients, which come from this process's share, by their sum over all processes."""

    @abstractmethod
    def with_common_statistics(self, network: nn.Module) -> nn.Module:
        """Return the network with batch normalisation over the whole batch instead of a process's share."""

    @abstractmethod
    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return the function's result for each item; each process computes some of them."""

    @abstractmethod
    @contextmanager
    def failing_together(self, explain: Callable[[BaseException], str]) -> Iterator[None]:
        """End all processes where one fails within.

        Args:
            explain: what the others are told of an error.

        Raises:
            FailedElsewhere: another process failed; the message is its.
        """


class OneProcess(ProcessGroup):
    """A process of its own: it leads, and its share is everything."""

    size = 1
    is_leader = True

    def device(self, chosen: torch.device) -> torch.device:
        return chosen

    def lead(self, action: Callable[[], object]) -> None:
        action()

    def share(self, samples: Tensor) -> Tensor:
        return samples

    def gather(self, outputs: Tensor, count: int) -> Tensor:
        return outputs

    def add_up_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        pass

    def with_common_statistics(self, network: nn.Module) -> nn.Module:
        return network

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        # What is done here, array by array, lets other threads work meanwhile.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            return list(pool.map(function, items))

    @contextmanager
    def failing_together(self, explain: Callable[[BaseException], str]) -> Iterator[None]:
        yield


ALONE = OneProcess()
