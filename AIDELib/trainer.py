"""A training run from its folder: label the unlabelled, train, select, and leave model, labels and review behind."""

from __future__ import annotations

import gc
import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from AIDELib.atomic_file import require_folder
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.checkpoint import load_newest_checkpoint, restore_stage, save_checkpoint
from AIDELib.container import Container
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset, relative_path
from AIDELib.device import describe_device, make_deterministic
from AIDELib.errors import AIDEError, RunError
from AIDELib.label_pass import agreements_with, predict_labels
from AIDELib.memory_thrift import MemoryThrift, is_out_of_memory
from AIDELib.methods import create_method
from AIDELib.model import Model, save_model
from AIDELib.model_description import ModelDescription
from AIDELib.model_selection import ModelSelection
from AIDELib.prediction_files import write_labels
from AIDELib.preparation import cut_cases, plan_slices, slice_bytes
from AIDELib.pretraining import pretraining_method
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.progress import Listener, Progress, SilentProgress, StopRequested
from AIDELib.review import ReviewedCase, review_document
from AIDELib.review_decision import read_decisions, with_decisions
from AIDELib.run_evaluation import compare_with_baseline, evaluate_run
from AIDELib.run_folder import RunFolder
from AIDELib.sealed_document import write_sealed
from AIDELib.segmentation_file import SEGMENTATION_ENDING, is_damaged_segmentation
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import assemble_labels
from AIDELib.stage import EpochResult, Stage
from AIDELib.standardization import standardize
from AIDELib.training_failure import explain_failure
from AIDELib.volume import read_grid
from AIDELib.watched_folder import Request, Status, WatchedFolder

PRETRAINING, TRAINING = 0, 1
_log = logging.getLogger(__name__)

_STAGE_NAMES = {PRETRAINING: "pretraining", TRAINING: "training"}


def train(
    run: RunFolder,
    device: torch.device,
    listener: Listener = lambda event: None,
    superior: WatchedFolder | None = None,
    group: ProcessGroup = ALONE,
) -> None:
    """Train a prepared run, or go on with an interrupted one from its newest checkpoint; then measure its model and train
    its baseline, if it was described so.

    A stop request ends it after the current iteration, with the status STOPPED; the epoch begun is then lost.

    Args:
        listener: called with each event, in this process.
        superior: the folder of the run that this one is the baseline of; its requests are obeyed as well.
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
        _train(run, device, progress, group)


def _make_ready(run: RunFolder) -> None:
    run.mend()
    run.withdraw(Request.STOP)
    run.withdraw(Request.PAUSE)


def _train(run: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup) -> None:
    try:
        make_deterministic()
        with group.failing_together(lambda error: explain_failure(error, run)):
            _complete(run, device, progress, group)
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


def _complete(run: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup) -> None:
    description = run.read_description()
    dataset, selection = _train_with_what_memory_there_is(run, device, progress, group)
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


def _train_with_what_memory_there_is(
    run: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup
) -> tuple[Dataset, ModelSelection]:
    """Train; where the memory is not enough, go on from the newest checkpoint and spare more of it."""
    thrift = MemoryThrift()
    while True:
        try:
            training = _Training(run, device, progress, thrift, group)
            return training.dataset, training.complete()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            # Of several processes the others would wait in the middle of an iteration.
            if group.size > 1 or not thrift.increase():
                raise MemoryError from None
        # Only here, outside the handler, does nothing hold on to the tensors of the failed attempt any more.
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        progress.event(
            "notice",
            message="The memory is not enough to train at full speed. The training goes on after the last finished epoch in "
            "smaller parts: slower, with the same results.",
        )


class _Training:
    """The parts of one run that its steps share.

    Attributes:
        dataset: the run's cases, with the labels that people decided on.
    """

    def __init__(
        self, run: RunFolder, device: torch.device, progress: Progress, thrift: MemoryThrift, group: ProcessGroup
    ) -> None:
        self._run = run
        self._device = device
        self._progress = progress
        self._thrift = thrift
        self._group = group
        description = run.read_description()
        self._settings = description.settings
        self._method = create_method(description.method, description.settings)
        given = load_dataset(run.dataset_file)
        self.dataset = with_decisions(given, run)
        self._train_cases = self.dataset.select(Split.TRAIN)
        # Where people decided on every unlabelled case, nothing is left of a task that asks for some.
        unlabelled_left = any(case.quality is LabelQuality.UNLABELLED for case in self._train_cases)
        self._standardization = standardize(self._train_cases, description.task if unlabelled_left else None)
        self._structure_count = len(self.dataset.structures)
        self._pretrained: list[dict[str, Tensor]] = []
        # What people decided since must not change the schedule of a training that has begun.
        if not standardize(given.select(Split.TRAIN), description.task).labels_unlabelled_cases:
            self._method.trusting_epochs = self._epochs_before_doubt()

    def _epochs_before_doubt(self) -> int:
        """Return for how many epochs the labels count as they are where there are no others to generate first.

        They belong to the training, under one falling learning rate: a second start at its height cost the networks more
        than doubt won back (see Docs/evidence.md).
        """
        wanted = self._settings.pretrained_start and self._method.doubts_labels
        return self._settings.pretraining_epochs if wanted else 0

    def complete(self) -> ModelSelection:
        """Train and return which epoch's networks were kept."""
        checkpoint = load_newest_checkpoint(self._run.checkpoint_folder)
        self._announce(checkpoint)
        if checkpoint is None:
            # Without a checkpoint nothing of an earlier attempt counts.
            self._group.lead(self._remove_outdated)
        self._plan = plan_slices(self._train_cases, self._settings)
        self._storage = self._choose_storage()
        cut = self._cut(Split.TRAIN)
        self._validation = self._validation_set()
        labels = self._labels_of_unlabelled(cut, checkpoint)
        return self._train(self._with_labels(cut, labels), checkpoint)

    def _remove_outdated(self) -> None:
        for outdated in (self._run.generated_folder, self._run.corrected_folder, self._run.suggested_folder):
            shutil.rmtree(outdated, ignore_errors=True)

    def _tell_step(self, done: int, total: int) -> None:
        self._group.lead(lambda: self._progress.step(done, total))

    def _announce(self, checkpoint: Container | None) -> None:
        self._progress.event(
            "start" if checkpoint is None else "resume",
            statement=self._standardization.statement,
            method=self._method.name,
            device=describe_device(self._device),
            processes=self._group.size,
        )
        self._progress.state(
            Status.RUNNING,
            stage="reading images",
            statement=self._standardization.statement,
            method=self._method.name,
            device=describe_device(self._device),
            message="",
        )

    def _cut(self, split: Split) -> list[CaseSlices]:
        return cut_cases(self.dataset.select(split), self.dataset, self._plan, self._storage, self._tell_step)

    def _choose_storage(self) -> SliceStorage:
        needed = slice_bytes(self._train_cases, self._plan, 1 + self._method.network_count)
        storage = SliceStorage.choose(needed, self._device, self._run.path, self._group.size)
        notice = storage.notice(needed)
        if notice is not None:
            self._progress.event("notice", message=notice)
        return storage

    def _validation_set(self) -> tuple[SliceSet, Tensor] | None:
        cut = [case for case in self._cut(Split.VAL) if case.labels is not None]
        if not cut:
            return None
        slices = SliceSet.build(cut, self._storage, self._plan.size)
        return slices, slices.pad_labels([case.labels for case in cut if case.labels is not None])

    # What precedes the training proper: pretraining, and labels for the unlabelled cases.

    def _labels_of_unlabelled(self, cut: Sequence[CaseSlices], checkpoint: Container | None) -> dict[str, Any]:
        """Return the generated label maps (Z, H, W) of the unlabelled cases by case id."""
        unlabelled = [case for case in cut if case.labels is None and self._method.learns_from(case.case)]
        if not unlabelled:
            return {}
        if checkpoint is not None and checkpoint.document["stage"] == TRAINING:
            # The checkpoint of the training holds all labels; these are only their shape.
            return {case.case.id: np.zeros(case.images[:, 0].shape, np.uint8) for case in unlabelled}
        stage = self._pretrain(cut, checkpoint)
        if self._settings.pretrained_start:
            self._pretrained = [dict(learner.predictor.state_dict()) for learner in stage.learners]
        slices = SliceSet.build(unlabelled, self._storage, self._plan.size)
        stage.look_at(slices)
        predicted = predict_labels(_joint_prediction(stage), slices, self._structure_count, self._group)
        for index, labels in enumerate(predicted):
            self._write_labels(labels, slices.cases[index], self._run.generated_folder)
        self._progress.event("labelled", cases=[case.case.id for case in unlabelled])
        return {case.case.id: labels for case, labels in zip(unlabelled, predicted, strict=True)}

    def _pretrain(self, cut: Sequence[CaseSlices], checkpoint: Container | None) -> Stage:
        networks = self._method.network_count if self._settings.pretrained_start else 1
        method = pretraining_method(self._train_cases, self._settings, networks)
        stage, given = self._create_stage(
            PRETRAINING,
            method,
            self._settings.pretraining_epochs,
            [case for case in cut if method.learns_from(case.case)],
            checkpoint,
        )
        while stage.epoch < stage.epochs:
            self._run_epoch(stage, later_epochs=self._settings.epochs)
            self._save_checkpoint(stage, given, {})
        return stage

    @staticmethod
    def _with_labels(cut: Sequence[CaseSlices], labels: dict[str, Any]) -> list[CaseSlices]:
        return [CaseSlices(case.case, case.images, labels.get(case.case.id, case.labels)) for case in cut]

    # The training proper.

    def _train(self, cut: Sequence[CaseSlices], checkpoint: Container | None) -> ModelSelection:
        learned = [case for case in cut if self._method.learns_from(case.case)]
        epochs = self._method.trusting_epochs + self._settings.epochs
        stage, given = self._create_stage(TRAINING, self._method, epochs, learned, checkpoint)
        selection = ModelSelection()
        trends: list[list[float]] = [[] for _ in learned]
        for learner, weights in zip(stage.learners, self._pretrained, strict=False):
            learner.start_from(weights)
        if checkpoint is not None and checkpoint.document["stage"] == TRAINING:
            given.copy_(checkpoint.tensors["labels"]["given"])
            selection = ModelSelection(**checkpoint.document["selection"]["best"])
            trends = checkpoint.document["selection"]["trends"]
            self._use_decisions(stage, learned, given)
            self._group.lead(lambda: self._mend_labels(stage, given))
        while stage.epoch < stage.epochs:
            result = self._train_epoch(stage)
            self._keep_if_best(stage, result, selection)
            self._write_corrected_labels(stage, result)
            self._write_review(stage, result, given, trends)
            self._save_checkpoint(stage, given, {"best": selection.to_json(), "trends": trends})
        self._write_suggestions(stage)
        return selection

    def _train_epoch(self, stage: Stage) -> EpochResult:
        try:
            return self._run_epoch(stage, later_epochs=0)
        except StopRequested:
            if stage.epoch:
                # Those who stop a training to look at its suspect labels find what to compare them with.
                self._write_suggestions(stage)
            raise

    def _use_decisions(self, stage: Stage, cut: Sequence[CaseSlices], given: Tensor) -> None:
        """Put the labels that people decided on in the place of all labels of their cases."""
        decided = read_decisions(self._run)
        for index, case in enumerate(cut):
            if case.case.id in decided and case.labels is not None:
                for labels in (given, *(label_set.labels for label_set in stage.label_sets)):
                    stage.slices.put_case_labels(labels, index, case.labels)

    def _create_stage(
        self, index: int, method: Any, epochs: int, cut: Sequence[CaseSlices], checkpoint: Container | None
    ) -> tuple[Stage, Tensor]:
        slices = SliceSet.build(cut, self._storage, self._plan.size)
        labels = slices.pad_labels([case.labels for case in cut if case.labels is not None])
        stage = Stage(index, method, epochs, slices, labels, self._structure_count, self._thrift, self._group)
        if checkpoint is not None and checkpoint.document["stage"] == index:
            restore_stage(stage, checkpoint)
        self._progress.begin_stage()
        return stage, labels

    def _run_epoch(self, stage: Stage, later_epochs: int) -> EpochResult:
        name = _STAGE_NAMES[stage.index]
        self._progress.begin_epoch(name, stage.epoch + 1, stage.epochs, later_epochs)
        result = stage.run_epoch(self._tell_step)
        seconds = self._progress.end_epoch()
        self._progress.event(
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
                self._progress.event("correction", epoch=result.epoch, network=position + 1, cases=list(cases))
        return result

    def _keep_if_best(self, stage: Stage, result: EpochResult, selection: ModelSelection) -> None:
        scores = self._scores(stage, result)
        if self._validation is not None:
            self._progress.event("validation", epoch=result.epoch, dsc=[round(score, 6) for score in scores])
        if selection.is_best(result.epoch, scores):
            self._group.lead(lambda: self._save_model(self._model(stage, scores, result.epoch)))

    def _save_model(self, model: Model) -> None:
        require_folder(self._run.path)
        save_model(model, self._run.model_file)

    def _scores(self, stage: Stage, result: EpochResult) -> list[float]:
        if self._validation is None:
            return [float(np.mean(agreements)) for agreements in result.predictions.agreements]
        slices, labels = self._validation
        return [
            float(np.mean(agreements_with(own, labels, slices, self._structure_count, self._group)))
            for own in (
                predict_labels(learner.predict, slices, self._structure_count, self._group)
                for learner in stage.learners
            )
        ]

    def _model(self, stage: Stage, scores: Sequence[float], epoch: int) -> Model:
        chosen = range(len(scores)) if self._settings.ensemble else [int(np.argmax(scores))]
        counts = {quality.value: 0 for quality in LabelQuality}
        for case in self._train_cases:
            counts[case.quality.value] += 1
        description = ModelDescription(
            channels=self.dataset.channels,
            structures=self.dataset.structures,
            plans=(self._plan,),
            network=self._settings.network,
            width=self._settings.network_width,
            network_count=len(chosen),
            largest_component=self._settings.largest_component,
            training={
                "method": self._method.name,
                "task": self._standardization.task.value,
                "cases": counts,
                "epoch": epoch,
                "score": {
                    "kind": "training agreement" if self._validation is None else "validation DSC",
                    "value": round(float(np.mean(scores)), 6),
                },
                "settings": self._settings.to_json(),
                "torch": str(torch.__version__),
            },
        )
        return Model(description, tuple(dict(stage.learners[index].predictor.state_dict()) for index in chosen))

    # What people look at.

    def _write_corrected_labels(self, stage: Stage, result: EpochResult) -> None:
        for position, (label_set, corrected) in enumerate(zip(stage.label_sets, result.corrected, strict=True)):
            for index, case in enumerate(stage.slices.cases):
                if case.id in corrected:
                    folder = self._run.corrected_folder / f"network{position + 1}"
                    self._write_labels(stage.slices.case_labels(label_set.labels, index), case, folder)

    def _mend_labels(self, stage: Stage, given: Tensor) -> None:
        """Write label files anew that were damaged or lost since; the checkpoint has what was in them."""
        for index, case in enumerate(stage.slices.cases):
            for position, label_set in enumerate(stage.label_sets):
                if label_set.corrected_at[index]:
                    folder = self._run.corrected_folder / f"network{position + 1}"
                    self._mend_label(label_set.labels, stage, index, folder)
            if case.quality is LabelQuality.UNLABELLED:
                self._mend_label(given, stage, index, self._run.generated_folder)

    def _save_checkpoint(self, stage: Stage, given: Tensor, selection: dict[str, Any]) -> None:
        self._group.lead(lambda: save_checkpoint(self._run.checkpoint_folder, stage, given, selection))

    def _mend_label(self, labels: Tensor, stage: Stage, index: int, folder: Path) -> None:
        case = stage.slices.cases[index]
        file = folder / label_file_name(case)
        if not file.exists() or is_damaged_segmentation(file):
            _log.warning("The label %s was damaged or lost; it is written anew from the checkpoint.", file)
            self._write_label_file(stage.slices.case_labels(labels, index), case, folder)

    def _write_suggestions(self, stage: Stage) -> None:
        predictions = predict_labels(_joint_prediction(stage), stage.slices, self._structure_count, self._group)
        for case, labels in zip(stage.slices.cases, predictions, strict=True):
            if case.quality is not LabelQuality.HQA:
                self._write_labels(labels, case, self._run.suggested_folder)

    def _write_labels(self, slices: np.ndarray, case: Case, folder: Path) -> None:
        self._group.lead(lambda: self._write_label_file(slices, case, folder))

    def _write_label_file(self, slices: np.ndarray, case: Case, folder: Path) -> None:
        folder.parent.mkdir(exist_ok=True)
        labels = assemble_labels(slices, read_grid(case.images[0]), self._plan, self._structure_count + 1)
        write_labels(labels, self.dataset.structures, folder / label_file_name(case))

    def _write_review(self, stage: Stage, result: EpochResult, given: Tensor, trends: list[list[float]]) -> None:
        with_given = np.mean(
            [
                agreements_with(own, given, stage.slices, self._structure_count, self._group)
                for own in result.predictions.labels
            ],
            axis=0,
        )
        reviewed = []
        for index, case in enumerate(stage.slices.cases):
            trends[index].append(round(float(with_given[index]), 6))
            reviewed.append(
                ReviewedCase(
                    case=case.id,
                    quality=case.quality,
                    suspicion=round(1 - float(with_given[index]), 6),
                    trend=tuple(trends[index]),
                    corrected_at=tuple(tuple(label_set.corrected_at[index]) for label_set in stage.label_sets),
                    suggestion=None
                    if case.quality is LabelQuality.HQA
                    else self._relative(self._run.suggested_folder, case),
                    given=self._given_label(case),
                )
            )
        self._group.lead(lambda: write_sealed(self._run.review_file, review_document(reviewed)))

    @staticmethod
    def _relative(folder: Path, case: Case) -> str:
        return f"{folder.name}/{label_file_name(case)}"

    def _given_label(self, case: Case) -> str:
        if case.label is None:
            return self._relative(self._run.generated_folder, case)
        return relative_path(case.label, self._run.path.absolute())


def label_file_name(case: Case) -> str:
    """Return the name of the files that hold labels of a case in a run folder."""
    return f"{case.id}{SEGMENTATION_ENDING}"


def _joint_prediction(stage: Stage) -> Callable[[Tensor], Tensor]:
    """Return the function that predicts the mean of the stage's networks."""
    return lambda images: torch.stack([learner.predict(images) for learner in stage.learners]).mean(dim=0)
