"""Run the trainings of an experiment that are not done yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from AIDELib.case import Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import save_dataset
from AIDELib.errors import RunError, SettingsError
from AIDELib.folder_lock import FolderLock
from AIDELib.presets import preset
from AIDELib.report import JSON_FILE, read_report
from AIDELib.run_folder import RunFolder
from Testing.Benchmarks.correction_pictures import picture_corrections
from Testing.Benchmarks.experiment import Arm, Experiment, Scenario, TrainingSet, file_name
from Testing.Benchmarks.given_labels import dataset_with
from Testing.Benchmarks.label_analysis import analyse_labels
from Testing.Benchmarks.machine import describe_machine
from Testing.Benchmarks.measured_process import run_aide
from Testing.Benchmarks.outcome import Outcome, load_outcome, save_outcome
from Testing.Benchmarks.present_structures import structures_of

LOCK = "experiment.lock"


def run_experiment(
    experiment: Experiment,
    source: Dataset,
    output: Path,
    seeds: Sequence[int],
    arms: Sequence[Arm],
    scenario_names: Sequence[str],
    device: str,
) -> None:
    """Train and measure each arm on each scenario with each seed; what has an outcome already is left alone.

    One process works in an output folder at a time. All arms of one seed come before the next seed, so that an interrupted
    experiment still compares like with like.

    Args:
        scenario_names: only these; all where there are none.

    Raises:
        RunError: another process works in the folder.
        SettingsError: an outcome there was reached with other settings.
        ProcessFailed: a training failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    with FolderLock(output / LOCK):
        load_outcomes(experiment, output)
        for seed in seeds:
            for scenario in experiment.scenarios:
                if scenario_names and scenario.name not in scenario_names:
                    continue
                missing = [
                    arm
                    for arm in arms
                    if arm.name not in scenario.pointless and not outcome_file(output, scenario, arm, seed).exists()
                ]
                if not missing:
                    continue
                folder = output / file_name(scenario.name) / "data" / f"seed{seed}"
                training_set = scenario.prepare(source, folder, seed)
                for arm in missing:
                    _complete_arm(experiment, scenario, arm, seed, training_set, output, device)


def _complete_arm(
    experiment: Experiment,
    scenario: Scenario,
    arm: Arm,
    seed: int,
    training_set: TrainingSet,
    output: Path,
    device: str,
) -> None:
    """Train and measure one arm, and keep and tell its outcome."""
    given = replace(training_set, dataset=dataset_with(arm.labels, training_set.dataset, training_set.truths))
    run = _run_folder(output, scenario, arm, seed)
    outcome = _train_and_measure(experiment, scenario, arm, seed, given, run, device)
    save_outcome(outcome, outcome_file(output, scenario, arm, seed))
    picture_corrections(run, given, outcome.labels, picture_file(output, scenario, arm, seed))
    print(
        f"{scenario.name}, {arm.name}, seed {seed}: {experiment.score.value} {outcome.mean(experiment.score):.4f}, "
        f"{outcome.cpu_seconds:.0f} CPU s, {outcome.peak_memory_gb:.2f} GB",
        flush=True,
    )


def outcome_file(output: Path, scenario: Scenario, arm: Arm, seed: int) -> Path:
    """Return where an outcome is kept."""
    return output / file_name(scenario.name) / "outcomes" / file_name(arm.name) / f"seed{seed}.json"


def picture_file(output: Path, scenario: Scenario, arm: Arm, seed: int) -> Path:
    """Return where the picture of the corrections is kept; there is none where nothing is known about the labels."""
    return outcome_file(output, scenario, arm, seed).with_suffix(".png")


def load_outcomes(experiment: Experiment, output: Path) -> list[Outcome]:
    """Return all outcomes that there are, in the order of scenarios, arms and seeds.

    Raises:
        SettingsError: one was reached with other settings than those of the experiment, and cannot be compared.
    """
    return [
        _comparable(path, experiment, arm)
        for scenario in experiment.scenarios
        for arm in experiment.arms
        for path in sorted(
            (output / file_name(scenario.name) / "outcomes" / file_name(arm.name)).glob("seed*.json"),
            key=lambda path: int(path.stem.removeprefix("seed")),
        )
    ]


def _comparable(path: Path, experiment: Experiment, arm: Arm) -> Outcome:
    outcome = load_outcome(path)
    wanted = preset(arm.preset).replace(**arm_settings(experiment, arm), seed=outcome.seed).to_json()
    for name, value in wanted.items():
        # A setting that came later did not change what was reached before.
        if outcome.settings.get(name, value) != value:
            raise SettingsError(
                f"{path} was reached with {name}={_text(outcome.settings[name])}, and this experiment has "
                f"{name}={_text(value)}. Choose another --output, the same --set, or remove the file to train anew."
            )
    return outcome


def _run_folder(output: Path, scenario: Scenario, arm: Arm, seed: int) -> RunFolder:
    return RunFolder(output / file_name(scenario.name) / "runs" / f"{file_name(arm.name)}-seed{seed}")


def arm_settings(experiment: Experiment, arm: Arm) -> dict[str, Any]:
    """Return the settings that an arm changes in its preset."""
    changes = {**experiment.changes, **arm.changes}
    # Not checked here: the training itself says what is wrong with a value.
    values = {**preset(arm.preset).to_json(), **changes}
    before = values["pretraining_epochs"] if values["pretrained_start"] else 0
    return {**changes, "epochs": round(arm.length * (before + values["epochs"])) - before}


def _train_and_measure(
    experiment: Experiment,
    scenario: Scenario,
    arm: Arm,
    seed: int,
    given: TrainingSet,
    run: RunFolder,
    device: str,
) -> Outcome:
    if run.is_occupied():
        raise RunError(f"A process of an earlier start still trains in {run.path}. End it, or wait for its end.")
    # Times and memory are those of one unbroken training.
    shutil.rmtree(run.path, ignore_errors=True)
    run.path.parent.mkdir(parents=True, exist_ok=True)
    dataset_file = run.path.with_suffix(".dataset.json")
    save_dataset(given.dataset, dataset_file)
    log = run.path.with_suffix(".log")
    changes = [f"--set={name}={_text(value)}" for name, value in arm_settings(experiment, arm).items()]
    command = ["train", str(dataset_file), "--run", str(run.path), "--method", arm.method, "--preset", arm.preset]
    usage = run_aide([*command, "--seed", str(seed), "--device", device, *changes], log)
    report = run.path / "evaluation"
    run_aide(
        ["evaluate", str(dataset_file), "--model", str(run.path), "--output", str(report), "--device", device], log
    )
    had = {case.id: structures_of(case, given.dataset) for case in given.dataset.select(Split.TEST)}
    dsc: dict[str, dict[str, float]] = {case: {} for case in had}
    absent: dict[str, dict[str, bool]] = {case: {} for case in had}
    for row in read_report(report):
        if row.structure in had[row.case]:
            dsc[row.case][row.structure] = round(row.metrics.dsc, 6)
        else:
            absent[row.case][row.structure] = row.metrics.dsc < 1
    return Outcome(
        scenario=scenario.name,
        arm=arm.name,
        seed=seed,
        dsc=dsc,
        qubiq=json.loads((report / JSON_FILE).read_text(encoding="utf-8")).get("QUBIQ score", {}),
        labels=analyse_labels(run, given),
        wall_seconds=round(usage.wall_seconds, 1),
        cpu_seconds=round(usage.cpu_seconds, 1),
        peak_memory_gb=round(usage.peak_memory_gb, 3),
        settings=run.read_description().settings.to_json(),
        machine=describe_machine(),
        absent={case: structures for case, structures in absent.items() if structures},
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
