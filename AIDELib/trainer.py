"""A training run from its folder: label the unlabelled, train, select, and leave model, labels and review behind."""

from __future__ import annotations

import dataclasses
import gc
import logging
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor

from AIDELib.atomic_file import require_folder
from AIDELib.case import LabelQuality, Split
from AIDELib.checkpoint import load_newest_checkpoint, restore_stage, save_checkpoint
from AIDELib.container import Container
from AIDELib.dataset import Dataset, find_case
from AIDELib.dataset_file import load_dataset
from AIDELib.device import describe_device, make_deterministic
from AIDELib.errors import AIDEError, RunError
from AIDELib.joint_opinion import MOST_STRUCTURES
from AIDELib.label_files import LabelFiles
from AIDELib.label_pass import agreements_with
from AIDELib.memory_thrift import MemoryThrift, is_out_of_memory
from AIDELib.methods import create_method
from AIDELib.model import Model, save_model
from AIDELib.model_description import ModelDescription
from AIDELib.model_selection import ModelSelection
from AIDELib.preparation import cut_cases, plan_second_plane, plan_slices, slice_bytes
from AIDELib.pretraining import pretraining_method
from AIDELib.process_group import ALONE, ProcessGroup
from AIDELib.progress import Listener, Progress, SilentProgress, StopRequested
from AIDELib.review_decision import ReviewDecision, read_decisions, with_decisions
from AIDELib.run_evaluation import compare_with_baseline, evaluate_run
from AIDELib.run_folder import RunFolder
from AIDELib.second_plane import SecondPlane
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import SlicePlan
from AIDELib.stage import EpochResult, Stage
from AIDELib.standardization import standardize
from AIDELib.training_failure import explain_failure
from AIDELib.watched_folder import Request, Status

PRETRAINING, TRAINING = 0, 1
_log = logging.getLogger(__name__)

_STAGE_NAMES = {PRETRAINING: "pretraining", TRAINING: "training"}


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
        _train(run, superior or run, device, progress, group)


def _make_ready(run: RunFolder) -> None:
    run.mend()
    run.withdraw(Request.STOP)
    run.withdraw(Request.PAUSE)


def _train(run: RunFolder, reviewed: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup) -> None:
    try:
        make_deterministic()
        with group.failing_together(lambda error: explain_failure(error, run)):
            _complete(run, reviewed, device, progress, group)
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


def _complete(
    run: RunFolder, reviewed: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup
) -> None:
    description = run.read_description()
    dataset, selection = _train_with_what_memory_there_is(run, reviewed, device, progress, group)
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
    run: RunFolder, reviewed: RunFolder, device: torch.device, progress: Progress, group: ProcessGroup
) -> tuple[Dataset, ModelSelection]:
    """Train; where the memory is not enough, go on from the newest checkpoint and spare more of it."""
    thrift = MemoryThrift()
    while True:
        try:
            training = _Training(run, reviewed, device, progress, thrift, group)
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

    Args:
        reviewed: the run whose labels people decided on: this one, or the one that it is the baseline of.

    Attributes:
        dataset: the run's cases, with the labels that people decided on.
    """

    def __init__(
        self,
        run: RunFolder,
        reviewed: RunFolder,
        device: torch.device,
        progress: Progress,
        thrift: MemoryThrift,
        group: ProcessGroup,
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
        # Read once: what people decide while the images are read counts from the next start on.
        decisions = self._decisions_about_learned_cases(given, reviewed)
        self._decided = sorted(decisions)
        self.dataset = with_decisions(given, decisions)
        self._train_cases = self.dataset.select(Split.TRAIN)
        # Where people decided on every unlabelled case, nothing is left of a task that asks for some.
        unlabelled_left = any(case.quality is LabelQuality.UNLABELLED for case in self._train_cases)
        self._standardization = standardize(self._train_cases, description.task if unlabelled_left else None)
        self._structure_count = len(self.dataset.structures)
        self._pretrained: list[dict[str, Tensor]] = []
        # What people decided since must not change the schedule of a training that has begun.
        labels_cases = standardize(given.select(Split.TRAIN), description.task).labels_unlabelled_cases
        self._added_epochs = 0 if labels_cases and self._method.learns_unlabelled else self._epochs_not_pretrained()
        if self._method.doubts_labels:
            self._method.trusting_epochs = min(self._settings.trusting_epochs, self._added_epochs)

    def _decisions_about_learned_cases(self, given: Dataset, reviewed: RunFolder) -> dict[str, ReviewDecision]:
        """Return the decisions by case; a training that has begun takes no case in that it did not learn from before."""
        decisions = read_decisions(reviewed)
        return {case: own for case, own in decisions.items() if self._method.learns_from(find_case(given, case))}

    def _epochs_not_pretrained(self) -> int:
        """Return by how many epochs the training is longer where there is nothing to label first.

        They belong to the training, under one falling learning rate: a second start at its height cost the networks more
        than doubt won back (see Docs/tried.md). All methods have them, so that their trainings are of one length.
        """
        return self._settings.pretraining_epochs if self._settings.pretrained_start else 0

    def complete(self) -> ModelSelection:
        """Train and return which epoch's networks were kept."""
        checkpoint = load_newest_checkpoint(self._run.checkpoint_folder)
        self._announce(checkpoint)
        if checkpoint is None:
            # Without a checkpoint nothing of an earlier attempt counts.
            self._group.lead(self._remove_outdated)
        self._plan = plan_slices(self._train_cases, self._settings)
        self._second_plan = self._plan_second_plane()
        self._tell_planes()
        self._files = LabelFiles(self._run, self.dataset.structures, self._plan, self._group)
        self._storage = self._choose_storage()
        cut = self._cut(Split.TRAIN)
        self._validation = self._validation_set()
        labels = self._labels_of_unlabelled(cut, checkpoint)
        return self._train(self._with_labels(cut, labels), checkpoint)

    def _plan_second_plane(self) -> SlicePlan | None:
        return (
            plan_second_plane(self._train_cases, self._settings, self._plan) if self._method.plane_per_network else None
        )

    def _tell_planes(self) -> None:
        if self._second_plan is not None:
            first, second = self._plan.orientation.value, self._second_plan.orientation.value
            self._progress.event(
                "notice",
                message=f"The voxels are nearly cubes: network 1 sees {first} slices, network 2 {second} ones.",
            )

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
            added_epochs=self._added_epochs,
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
        cases = self.dataset.select(split)
        return cut_cases(cases, self.dataset, self._plan, self._second_plan, self._storage, self._tell_step)

    def _second_plane(self, cut: Sequence[CaseSlices], slices: SliceSet) -> SecondPlane | None:
        """Return what the second network sees of these slices, where it does not see the same."""
        if self._second_plan is None:
            return None
        return SecondPlane.build(cut, slices, self._plan, self._second_plan, self._storage)

    def _choose_storage(self) -> SliceStorage:
        plans = [self._plan, *([] if self._second_plan is None else [self._second_plan])]
        # What the networks of two planes predict together takes as much as labels, for each structure and in all.
        opinion = 1 + min(self._structure_count, MOST_STRUCTURES)
        label_sets = 1 + self._method.network_count + opinion * (len(plans) - 1)
        needed = sum(slice_bytes(self._train_cases, plan, label_sets) for plan in plans)
        storage = SliceStorage.choose(needed, self._device, self._run.path, self._group.size)
        notice = storage.notice(needed)
        if notice is not None:
            self._progress.event("notice", message=notice)
        return storage

    def _validation_set(self) -> tuple[SliceSet, SecondPlane | None, Tensor] | None:
        cut = [case for case in self._cut(Split.VAL) if case.labels is not None]
        if not cut:
            return None
        slices = SliceSet.build(cut, self._storage, self._plan.size)
        second = self._second_plane(cut, slices)
        return slices, second, slices.pad_labels([case.labels for case in cut if case.labels is not None])

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
        second = None if stage.second is None else self._second_plane(unlabelled, slices)
        stage.look_at(slices, second)
        predicted = stage.predict_jointly(slices, second)
        self._files.write_generated(slices.cases, predicted)
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
        return [dataclasses.replace(case, labels=labels.get(case.case.id, case.labels)) for case in cut]

    # The training proper.

    def _train(self, cut: Sequence[CaseSlices], checkpoint: Container | None) -> ModelSelection:
        learned = [case for case in cut if self._method.learns_from(case.case)]
        epochs = self._added_epochs + self._settings.epochs
        stage, given = self._create_stage(TRAINING, self._method, epochs, learned, checkpoint)
        others = self._unlearned(cut)
        selection = ModelSelection()
        trends: list[list[float]] = [[] for _ in learned]
        for learner, weights in zip(stage.learners, self._pretrained, strict=False):
            learner.start_from(weights)
        if checkpoint is not None and checkpoint.document["stage"] == TRAINING:
            given.copy_(checkpoint.tensors["labels"]["given"])
            selection = ModelSelection(**checkpoint.document["selection"]["best"])
            trends = checkpoint.document["selection"]["trends"]
            self._use_decisions(stage, learned, given, checkpoint.document["selection"].get("decided", []))
            self._files.mend(stage, given)
        while stage.epoch < stage.epochs:
            result = self._train_epoch(stage)
            self._keep_if_best(stage, result, selection, others)
            self._files.write_corrected(stage, result)
            self._files.write_review(stage, result, given, trends)
            self._save_checkpoint(
                stage, given, {"best": selection.to_json(), "trends": trends, "decided": self._decided}
            )
        self._files.write_suggestions(stage)
        return selection

    def _train_epoch(self, stage: Stage) -> EpochResult:
        try:
            return self._run_epoch(stage, later_epochs=0)
        except StopRequested:
            if stage.epoch:
                # Those who stop a training to look at its suspect labels find what to compare them with.
                self._files.write_suggestions(stage)
            raise

    def _use_decisions(
        self, stage: Stage, cut: Sequence[CaseSlices], given: Tensor, decided_before: Sequence[str]
    ) -> None:
        """Put the labels that people decided on in the place of all labels of their cases, and the labels that were there at
        first in the place of those whose decision was withdrawn."""
        withdrawn = set(decided_before) - set(self._decided)
        for index, case in enumerate(cut):
            if case.case.id in withdrawn and case.case.label is None:
                case = self._with_generated_label(case)
            if case.case.id in withdrawn.union(self._decided) and case.labels is not None:
                for labels in (given, *(label_set.labels for label_set in stage.label_sets)):
                    stage.slices.put_case_labels(labels, index, case.labels)

    def _with_generated_label(self, case: CaseSlices) -> CaseSlices:
        """Return an unlabelled case with the label that the pretrained networks gave it; with none where they gave none."""
        generated = self._files.generated(case.case)
        if generated is None:
            _log.warning(
                "Case '%s': the decision about its label was withdrawn, but it was made before the case got a label of its "
                "own; the label decided on stays, and can be corrected from now on.",
                case.case.id,
            )
            return dataclasses.replace(case, labels=None)
        labelled = dataclasses.replace(case.case, label=generated, quality=LabelQuality.LQA)
        (cut,) = cut_cases([labelled], self.dataset, self._plan, None, self._storage, self._tell_step)
        return dataclasses.replace(case, labels=cut.labels)

    def _create_stage(
        self, index: int, method: Any, epochs: int, cut: Sequence[CaseSlices], checkpoint: Container | None
    ) -> tuple[Stage, Tensor]:
        slices = SliceSet.build(cut, self._storage, self._plan.size)
        labels = slices.pad_labels([case.labels for case in cut if case.labels is not None])
        second = self._second_plane(cut, slices) if method.plane_per_network else None
        stage = Stage(index, method, epochs, slices, labels, self._structure_count, self._thrift, self._group, second)
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

    def _unlearned(self, cut: Sequence[CaseSlices]) -> tuple[SliceSet, SecondPlane | None] | None:
        """Return the unlabelled cases that the method does not learn from, in each plane; None where there are none."""
        others = [case for case in cut if case.labels is None and not self._method.learns_from(case.case)]
        if not others:
            return None
        slices = SliceSet.build(others, self._storage, self._plan.size)
        return slices, self._second_plane(others, slices)

    def _keep_if_best(
        self,
        stage: Stage,
        result: EpochResult,
        selection: ModelSelection,
        others: tuple[SliceSet, SecondPlane | None] | None,
    ) -> None:
        """Score the epoch's networks, and keep them if none were better.

        Args:
            others: cases that are not learned from, but are such as the model is for.
        """
        if others is not None:
            stage.look_at(*others)
        scores = self._scores(stage, result)
        if self._validation is not None:
            self._progress.event("validation", epoch=result.epoch, dsc=[round(score, 6) for score in scores])
        if selection.is_best(result.epoch, scores):
            self._group.lead(lambda: self._save_model(self._model(stage, scores, result.epoch)))

    def _save_model(self, model: Model) -> None:
        require_folder(self._run.path)
        save_model(model, self._run.model_file)

    def _scores(self, stage: Stage, result: EpochResult) -> list[float]:
        """Return the score of what the model may be: of both networks together, or of each one.

        Agreements with training labels are those of each network in any case.
        """
        if self._validation is None:
            return [float(np.mean(agreements)) for agreements in result.predictions.agreements]
        slices, second, labels = self._validation
        predicted = (
            [stage.predict_jointly(slices, second)] if self._settings.ensemble else stage.predict_apart(slices, second)
        )
        return [
            float(np.mean(agreements_with(own, labels, slices, self._structure_count, self._group)))
            for own in predicted
        ]

    def _model(self, stage: Stage, scores: Sequence[float], epoch: int) -> Model:
        chosen = range(len(stage.learners)) if self._settings.ensemble else [int(np.argmax(scores))]
        offsets = tuple(tuple(stage.learners[index].offsets.tolist()) for index in chosen)
        plans = [self._plan, self._plan if self._second_plan is None else self._second_plan]
        counts = {quality.value: 0 for quality in LabelQuality}
        for case in self._train_cases:
            counts[case.quality.value] += 1
        description = ModelDescription(
            channels=self.dataset.channels,
            structures=self.dataset.structures,
            plans=(self._plan,) if self._second_plan is None else tuple(plans[index] for index in chosen),
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
            offsets=offsets if any(map(any, offsets)) else (),
        )
        return Model(description, tuple(dict(stage.learners[index].predictor.state_dict()) for index in chosen))

    def _save_checkpoint(self, stage: Stage, given: Tensor, selection: dict[str, Any]) -> None:
        self._group.lead(lambda: save_checkpoint(self._run.checkpoint_folder, stage, given, selection))
