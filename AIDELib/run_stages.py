"""The stages of a run, epoch by epoch: told to those who watch it, and kept in its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from AIDELib.checkpoint import checkpoint_files, restore_stage, save_checkpoint
from AIDELib.container import Container
from AIDELib.run_context import RunContext
from AIDELib.run_slices import RunSlices
from AIDELib.slice_set import CaseSlices
from AIDELib.stage import EpochResult, Stage
from AIDELib.training_method import TrainingMethod

PRETRAINING, TRAINING = 0, 1

_NAMES = {PRETRAINING: "pretraining", TRAINING: "training"}


class RunStages:
    """Makes the stages of a run and takes them further.

    Args:
        slices: cuts the run's cases.
        structure_count: number of structures.
        context: of the run.
        checkpoint: what the run goes on from; None at its start.
    """

    def __init__(
        self, slices: RunSlices, structure_count: int, context: RunContext, checkpoint: Container | None
    ) -> None:
        self._slices = slices
        self._structure_count = structure_count
        self._context = context
        self._checkpoint = checkpoint

    def checkpoint_of(self, index: int) -> Container | None:
        """Return the checkpoint that the run goes on from, if it is one of this stage."""
        if self._checkpoint is None or self._checkpoint.document["stage"] != index:
            return None
        return self._checkpoint

    def begin(self, index: int, method: TrainingMethod, epochs: int, cut: Sequence[CaseSlices]) -> tuple[Stage, Tensor]:
        """Return a stage, as its checkpoint has it where there is one, and the labels (N, H, W) that its cases came with.

        Args:
            index: PRETRAINING or TRAINING.
            cut: the cases that it learns from, with labels.

        Raises:
            RunError: the checkpoint is of other networks or other cases.
        """
        context = self._context
        slices = self._slices.first_plane(cut)
        labels = slices.pad_labels([case.labels for case in cut if case.labels is not None])
        second = self._slices.second_plane(cut, slices) if method.plane_per_network else None
        stage = Stage(
            index, method, epochs, slices, labels, self._structure_count, context.thrift, context.group, second
        )
        checkpoint = self.checkpoint_of(index)
        # The cases of the training itself never change; a decided label makes a case one to pretrain with.
        if checkpoint is not None and index == PRETRAINING and checkpoint.document["cases"] != len(cut):
            self._tell_of_new_pretraining()
            context.group.lead(self._remove_checkpoints)
        elif checkpoint is not None:
            restore_stage(stage, checkpoint)
        context.progress.begin_stage()
        return stage, labels

    def run_epoch(self, stage: Stage, later_epochs: int) -> EpochResult:
        """Train a stage for one epoch.

        Args:
            later_epochs: of the stages that come afterwards.

        Raises:
            StopRequested: somebody wants the run to end.
        """
        progress = self._context.progress
        name = _NAMES[stage.index]
        progress.begin_epoch(name, stage.epoch + 1, stage.epochs, later_epochs)
        result = stage.run_epoch(self._context.tell_step)
        seconds = progress.end_epoch()
        progress.event(
            "epoch",
            stage=name,
            epoch=result.epoch,
            epochs=stage.epochs,
            loss=[round(loss, 6) for loss in result.losses],
            agreement=[round(float(np.mean(own)), 6) for own in result.predictions.agreements],
            seconds=round(seconds, 3),
        )
        for position, cases in enumerate(result.corrected):
            if cases:
                progress.event("correction", epoch=result.epoch, network=position + 1, cases=list(cases))
        return result

    def save(self, stage: Stage, given: Tensor, selection: dict[str, Any]) -> None:
        """Write a checkpoint; `given` and `selection` as `save_checkpoint` takes them."""
        context = self._context
        context.group.lead(lambda: save_checkpoint(context.run.checkpoint_folder, stage, given, selection))

    def _tell_of_new_pretraining(self) -> None:
        self._context.progress.event(
            "notice",
            message="Labels were decided on during the pretraining, which begins anew: it now learns from these cases, too.",
        )

    def _remove_checkpoints(self) -> None:
        for file in checkpoint_files(self._context.run.checkpoint_folder):
            file.unlink()
