"""A training run from its folder to its end: trained, measured, compared, or ended with a plain word why not."""

from __future__ import annotations

import gc
from contextlib import ExitStack, suppress

import torch

from AIDELib.dataset import Dataset
from AIDELib.device import make_deterministic
from AIDELib.errors import AIDEError, RunError
from AIDELib.memory_thrift import is_out_of_memory
from AIDELib.model_selection import ModelSelection
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.progress import Listener, Progress, SilentProgress, StopRequested
from AIDELib.run_context import RunContext
from AIDELib.run_evaluation import compare_with_baseline, evaluate_run
from AIDELib.run_folder import RunFolder
from AIDELib.run_training import RunTraining
from AIDELib.training_failure import explain_failure
from AIDELib.watched_folder import Request, Status


def train(
    run: RunFolder,
    device: torch.device,
    listener: Listener = lambda event: None,
    superior: RunFolder | None = None,
    group: ProcessGroup = ALONE,
) -> None:
    """Train a prepared run, or go on with an interrupted one from its newest checkpoint; then measure its model and train
    its baseline, if it was described so.

    A stop request ends it after the current iteration, with the status STOPPED; the epoch begun is then lost.

    Args:
        listener: called with each event, in this process.
        superior: the run that this one is the baseline of; its requests are obeyed as well, and what people decided about
            its labels holds for both.
        group: the processes that train together; all of them call this, with the same folder.

    Raises:
        RunError: the folder holds no run, or another process works in it.
        SettingsError: the processes cannot share a batch equally.
        AIDEError: files cannot be used, or the disk or the memory is full; the status is then FAILED, with the message.
    """
    group.require_equal_shares(run.read_description().settings.batch_size)
    progress = (Progress if group.is_leader else SilentProgress)(run, listener, superior)
    with ExitStack() as leaders_duties:
        if group.is_leader:
            leaders_duties.enter_context(progress.telling_warnings())
            leaders_duties.enter_context(run.occupied())
        group.lead(lambda: _make_ready(run))
        _complete_or_explain(RunContext(run, superior or run, device, progress, group))


def _make_ready(run: RunFolder) -> None:
    run.mend()
    run.withdraw(Request.STOP)
    run.withdraw(Request.PAUSE)


def _complete_or_explain(context: RunContext) -> None:
    run, progress, group = context.run, context.progress, context.group
    try:
        make_deterministic()
        with group.failing_together(lambda error: explain_failure(error, run)):
            _complete(context)
    except StopRequested:
        group.lead(lambda: run.withdraw(Request.STOP))
        progress.event("stopped")
        progress.state(Status.STOPPED, message="Stopped on request.")
    except (AIDEError, OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_out_of_memory(error):
            raise
        message = explain_failure(error, run)
        # The disk that could not take a checkpoint may not take these either; what matters is the message itself.
        with suppress(OSError):
            progress.event("failed", message=message)
            progress.state(Status.FAILED, message=message)
        raise error if isinstance(error, AIDEError) else RunError(message) from error
    except KeyboardInterrupt:
        progress.event("stopped")
        progress.state(Status.STOPPED, message="Interrupted.")
        raise


def _complete(context: RunContext) -> None:
    run, device, progress, group = context.run, context.device, context.progress, context.group
    description = run.read_description()
    dataset, selection = _train_with_what_memory_there_is(context)
    if description.evaluate:
        group.lead(lambda: evaluate_run(run, dataset, device, progress))
    if description.baseline is not None:
        compare_with_baseline(run, description.baseline, device, progress, group, train)
    group.lead(lambda: _finish(selection, progress))


def _finish(selection: ModelSelection, progress: Progress) -> None:
    progress.event("finished", best_epoch=selection.best_epoch, best_score=selection.best_score)
    progress.state(
        Status.FINISHED, share=1.0, seconds_left=0.0, best_epoch=selection.best_epoch, message="Training finished."
    )


def _attempt(context: RunContext) -> tuple[Dataset, ModelSelection]:
    # A name of the caller's would keep the tensors of a failed training alive.
    training = RunTraining(context)
    return training.dataset, training.complete()


def _train_with_what_memory_there_is(context: RunContext) -> tuple[Dataset, ModelSelection]:
    """Train; where the memory is not enough, go on from the newest checkpoint and spare more of it."""
    while True:
        try:
            return _attempt(context)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            # Of several processes the others would wait in the middle of an iteration.
            if context.group.size > 1 or not context.thrift.increase():
                raise MemoryError from None
        # Only here, outside the handler, does nothing hold on to the tensors of the failed attempt any more.
        gc.collect()
        if context.device.type == "cuda":
            torch.cuda.empty_cache()
        context.progress.event(
            "notice",
            message="The memory is not enough to train at full speed. The training goes on after the last finished epoch in "
            "smaller parts: slower, with the same results.",
        )
