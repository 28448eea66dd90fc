"""What follows a training: the model measured on the test cases, and compared with a baseline."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch

from AIDELib.atomic_file import write_text_atomically
from AIDELib.case import Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.evaluation_report import write_evaluation_report
from AIDELib.method_name import MethodName
from AIDELib.model import load_model
from AIDELib.predictor import Predictor
from AIDELib.process_group import ProcessGroup
from AIDELib.progress import Listener, Progress, StopRequested
from AIDELib.report import mean_dsc
from AIDELib.report_comparison import compare_reports, comparison_document
from AIDELib.run_folder import RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.watched_folder import Status

# Trains a prepared run folder to its end; the one after the listener is the run that it is the baseline of.
Train = Callable[[RunFolder, torch.device, Listener, RunFolder, ProcessGroup], None]


def evaluate_run(run: RunFolder, dataset: Dataset, device: torch.device, progress: Progress) -> None:
    """Measure the run's model on the labelled test cases; the report goes into the run folder.

    Raises:
        StopRequested: the run was asked to stop.
        AIDEError: a file cannot be used.
    """
    progress.begin_stage()
    progress.begin_epoch("measuring on the test cases", 1, 1, 0)
    predictor = Predictor(load_model(run.path), device)
    report = write_evaluation_report(dataset, Split.TEST, predictor, run.report_folder, progress.step)
    progress.event("evaluated", mean_dsc=mean_dsc(report.rows), note=report.without_pictures)


def compare_with_baseline(
    run: RunFolder,
    baseline: MethodName,
    device: torch.device,
    progress: Progress,
    group: ProcessGroup,
    train: Train,
) -> None:
    """Train the baseline in the run's folder `baseline` for as many epochs as the run and, where both were measured, compare
    them.

    Args:
        train: trains a prepared run folder to its end.

    Raises:
        StopRequested: the run was asked to stop.
        AIDEError: the baseline failed.
    """
    folder = RunFolder(run.baseline_folder)
    description = run.read_description()
    group.lead(lambda: _prepare_baseline(run, folder, baseline))
    if folder.read_state()["status"] != Status.FINISHED.value:
        train(folder, device, _relay(progress), run, group)
        if folder.read_state()["status"] != Status.FINISHED.value:
            raise StopRequested
    if description.evaluate:
        group.lead(lambda: _compare(run, folder, progress))


def _prepare_baseline(run: RunFolder, folder: RunFolder, baseline: MethodName) -> None:
    description = run.read_description().of_baseline(baseline)
    if not folder.description_file.exists():
        prepare_run(load_dataset(run.dataset_file), folder, description)
    further = description.settings.epochs - folder.read_description().settings.epochs
    if further > 0:
        folder.write_state(Status.STOPPED, message="To be trained for as many epochs as the run.")
        folder.extend(further)


def _compare(run: RunFolder, baseline: RunFolder, progress: Progress) -> None:
    first, second = run.read_description().method.value, baseline.read_description().method.value
    document = comparison_document(first, second, compare_reports(run.report_folder, baseline.report_folder))
    write_text_atomically(run.comparison_file, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    progress.event("compared", baseline=second)


def _relay(progress: Progress) -> Listener:
    """Return a listener that tells of the baseline's progress in the run's own folder."""

    def listen(event: dict[str, Any]) -> None:
        details = {name: value for name, value in event.items() if name not in ("event", "status", "stage")}
        stage = f"baseline: {event.get('stage', '')}"
        if event["event"] == "epoch":
            progress.event("epoch", stage=stage, **details)
        elif event["event"] == "state" and event["status"] in (Status.RUNNING.value, Status.PAUSED.value):
            shown = {name: details[name] for name in ("epoch", "epochs", "share", "seconds_left") if name in details}
            progress.state(Status(event["status"]), stage=stage, **shown)

    return listen
