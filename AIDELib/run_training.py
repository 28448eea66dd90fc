"""The steps of a run's training: cut, label the unlabelled, train, select, and leave model, labels and review behind."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence

from torch import Tensor

from AIDELib.atomic_file import require_folder
from AIDELib.case import LabelQuality, Split
from AIDELib.checkpoint import load_newest_checkpoint
from AIDELib.container import Container
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.decided_labels import DecidedLabels
from AIDELib.device import describe_device
from AIDELib.epoch_score import EpochScore, ScoreKind, ValidationCases, score_epoch
from AIDELib.generated_labels import GeneratedLabels, generate_labels
from AIDELib.label_files import LabelFiles
from AIDELib.methods import create_method
from AIDELib.model import save_model
from AIDELib.model_selection import ModelSelection
from AIDELib.progress import StopRequested
from AIDELib.run_context import RunContext
from AIDELib.run_folder import RunDescription
from AIDELib.run_slices import RunSlices
from AIDELib.run_stages import TRAINING, RunStages
from AIDELib.second_plane import SecondPlane
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.stage import EpochResult, Stage
from AIDELib.standardization import standardize
from AIDELib.trained_model import trained_model
from AIDELib.watched_folder import Status


class RunTraining:
    """The training of a run, from its newest checkpoint on.

    Attributes:
        dataset: the run's cases, with the labels that people decided on.

    Raises:
        RunError: the decisions are damaged.
        DatasetError: nothing can be learned from the cases.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        description = context.run.read_description()
        self._settings = description.settings
        self._method = create_method(description.method, description.settings)
        given = load_dataset(context.run.dataset_file)
        self._decided = DecidedLabels(context.reviewed, given, self._method)
        self.dataset = self._decided.dataset
        train_cases = self.dataset.select(Split.TRAIN)
        # Where people decided on every unlabelled case, nothing is left of a task that asks for some.
        unlabelled_left = any(case.quality is LabelQuality.UNLABELLED for case in train_cases)
        self._standardization = standardize(train_cases, description.task if unlabelled_left else None)
        self._added_epochs = self._epochs_not_pretrained(given, description)
        self._method.trusting_epochs = min(self._settings.trusting_epochs, self._added_epochs)

    def _epochs_not_pretrained(self, given: Dataset, description: RunDescription) -> int:
        """Return by how many epochs the training is longer where there is nothing to label first.

        They belong to the training, under one falling learning rate: a second start at its height cost the networks more
        than doubt won back (see Docs/tried.md). All methods have them, so that their trainings are of one length.

        Args:
            given: the cases without decisions, which must not change the schedule of a training that has begun.
        """
        labels_cases = standardize(given.select(Split.TRAIN), description.task).labels_unlabelled_cases
        if labels_cases and self._method.learns_unlabelled:
            return 0
        return self._settings.pretraining_epochs if self._settings.pretrained_start else 0

    def complete(self) -> ModelSelection:
        """Train and return which epoch's networks were kept.

        Raises:
            StopRequested: somebody wants the run to end; the epoch begun is lost.
            AIDEError: files cannot be used.
        """
        context = self._context
        checkpoint = load_newest_checkpoint(context.run.checkpoint_folder)
        self._announce(is_new=checkpoint is None)
        if checkpoint is None:
            # Without a checkpoint nothing of an earlier attempt counts.
            context.group.lead(self._remove_outdated)
        self._slices = RunSlices(self.dataset, self._method, context)
        self._files = LabelFiles(context.run, self.dataset.structures, self._slices.plan, context.group)
        self._stages = RunStages(self._slices, len(self.dataset.structures), context, checkpoint)
        cut = self._slices.cut(self.dataset.select(Split.TRAIN))
        self._validation = ValidationCases.build(self._slices.cut(self.dataset.select(Split.VAL)), self._slices)
        generated = generate_labels(cut, self._method, self._stages, self._slices, self._files, context.progress)
        return self._train(cut, generated)

    def _announce(self, is_new: bool) -> None:
        context = self._context
        described = {
            "statement": self._standardization.statement,
            "method": self._method.name,
            "device": describe_device(context.device),
        }
        context.progress.event(
            "start" if is_new else "resume",
            **described,
            processes=context.group.size,
            added_epochs=self._added_epochs,
        )
        context.progress.state(Status.RUNNING, stage="reading images", **described, message="")

    def _remove_outdated(self) -> None:
        run = self._context.run
        for outdated in (run.generated_folder, run.corrected_folder, run.suggested_folder):
            shutil.rmtree(outdated, ignore_errors=True)

    def _train(self, cut: Sequence[CaseSlices], generated: GeneratedLabels) -> ModelSelection:
        learned = [
            dataclasses.replace(case, labels=generated.by_case.get(case.case.id, case.labels))
            for case in cut
            if self._method.learns_from(case.case)
        ]
        others = self._unlearned(cut)
        epochs = self._added_epochs + self._settings.epochs
        stage, given = self._stages.begin(TRAINING, self._method, epochs, learned)
        for learner, weights in zip(stage.learners, generated.weights, strict=False):
            learner.start_from(weights)
        selection, trends = self._go_on(stage, given, learned)
        while stage.epoch < stage.epochs:
            result = self._train_epoch(stage)
            self._keep_if_best(stage, result, selection, others)
            self._files.write_corrected(stage, result)
            self._files.write_review(stage, result, given, trends)
            remembered = {"best": selection.to_json(), "trends": trends, "decided": self._decided.cases}
            self._stages.save(stage, given, remembered)
        self._files.write_suggestions(stage)
        return selection

    def _unlearned(self, cut: Sequence[CaseSlices]) -> tuple[SliceSet, SecondPlane | None] | None:
        """Return the unlabelled cases that the method does not learn from, in each plane; None where there are none."""
        others = [case for case in cut if case.labels is None and not self._method.learns_from(case.case)]
        return self._slices.planes(others) if others else None

    def _go_on(
        self, stage: Stage, given: Tensor, learned: Sequence[CaseSlices]
    ) -> tuple[ModelSelection, list[list[float]]]:
        """Return the best epoch and each case's agreements so far, and bring labels and their files to what holds now."""
        checkpoint: Container | None = self._stages.checkpoint_of(TRAINING)
        if checkpoint is None:
            return ModelSelection(), [[] for _ in learned]
        given.copy_(checkpoint.tensors["labels"]["given"])
        remembered = checkpoint.document["selection"]
        self._decided.put_into(stage, learned, given, remembered.get("decided", []), self._slices, self._files)
        self._files.mend(stage, given)
        return ModelSelection(**remembered["best"]), remembered["trends"]

    def _train_epoch(self, stage: Stage) -> EpochResult:
        try:
            return self._stages.run_epoch(stage, later_epochs=0)
        except StopRequested:
            if stage.epoch:
                # Those who stop a training to look at its suspect labels find what to compare them with.
                self._files.write_suggestions(stage)
            raise

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
        score = score_epoch(stage, result, self._validation, self._context.group)
        if score.kind is ScoreKind.VALIDATION:
            dsc = [round(value, 6) for value in score.values]
            self._context.progress.event("validation", epoch=result.epoch, dsc=dsc)
        if selection.is_best(result.epoch, score.values):
            self._context.group.lead(lambda: self._save_model(stage, score))

    def _save_model(self, stage: Stage, score: EpochScore) -> None:
        run = self._context.run
        require_folder(run.path)
        model = trained_model(stage, score, self.dataset, self._slices.plans, self._standardization.task)
        save_model(model, run.model_file)
