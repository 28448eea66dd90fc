"""`train`: a dataset and settings to a run folder with a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from AIDELib.commands.terminal import TerminalProgress
from AIDELib.dataset_file import load_dataset
from AIDELib.device import DEVICE_NAMES, choose_device
from AIDELib.errors import SettingsError
from AIDELib.method_name import MethodName
from AIDELib.presets import PRESETS, preset
from AIDELib.process_group import ProcessGroup
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.settings import Settings
from AIDELib.several_processes import processes_of_torchrun
from AIDELib.standardization import Task
from AIDELib.trainer import train

DEFAULT_PRESET = "standard"

_TASKS = {"ssl": Task.SSL, "uda": Task.UDA, "nll": Task.NLL}


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="train a model from a dataset.json",
        description="Train a model. What the labels call for (semi-supervised, domain adaptation, noisy labels) is seen "
        "from the dataset and told in one sentence. Everything is written into the run folder; Ctrl+C stops, and "
        "--resume goes on after the last finished epoch. With several GPUs: torchrun --nproc-per-node 2 -m AIDELib train "
        "dataset.json --run-folder runs/liver. The processes share each batch and give the result of one, so that "
        "batch_size must be a multiple of their number; a run can be resumed with another number.",
        epilog="Example: python -m AIDELib train dataset.json --run runs/liver --preset quick",
    )
    parser.add_argument("dataset", type=Path, nargs="?", help="dataset.json; not needed with --resume")
    parser.add_argument(
        "--run",
        "--run-folder",
        type=Path,
        dest="run_folder",
        help="folder that the run is written into (torchrun takes --run for its own; write --run-folder there)",
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument(
        "--method",
        choices=[method.value for method in MethodName],
        help="aide (default), or one of the methods it is compared with: supervised (HQA labels alone), conventional (all "
        "labels as they are), pseudo-label, co-teaching",
    )
    parser.add_argument(
        "--task",
        choices=_TASKS,
        help="what the run and its model call the task, instead of what is seen from the dataset; how the training goes "
        "follows from the labels alone (ssl and uda are refused where no training case is unlabelled)",
    )
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="quick: a first look within minutes; standard (default): better-working values; paper: as published",
    )
    parser.add_argument("--epochs", type=int, help="epochs of the training proper, after those of the pretraining")
    parser.add_argument(
        "--more-epochs", type=int, metavar="N", help="with --resume: go on for N epochs beyond those that were planned"
    )
    parser.add_argument(
        "--evaluate", action="store_true", help="measure the model on the test cases at the end, into RUN/report"
    )
    parser.add_argument(
        "--baseline",
        choices=[method.value for method in MethodName if method is not MethodName.AIDE],
        help="train this method on the same cases afterwards, into RUN/baseline; with --evaluate, compare both",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting; may be repeated"
    )
    parser.add_argument("--settings", action="store_true", help="list all settings with the preset's values and end")
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="what computes (default: auto)")
    parser.add_argument("--seed", type=int, help="same seed, data, settings and device: same model")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    if arguments.settings:
        _list_settings(_settings(arguments))
        return
    if arguments.run_folder is None:
        raise SettingsError("Name the folder that the run is written into with --run.")
    with processes_of_torchrun(choose_device(arguments.device)) as group:
        folder = RunFolder(arguments.run_folder)
        group.lead(lambda: _prepare(folder, arguments, group))
        with TerminalProgress() as progress:
            train(folder, group.device(choose_device(arguments.device)), progress.show_event, group=group)
        group.lead(lambda: _tell_what_next(folder))


def _prepare(folder: RunFolder, arguments: argparse.Namespace, group: ProcessGroup) -> None:
    if arguments.resume:
        _refuse_what_a_resumed_run_cannot_change(arguments)
        if arguments.more_epochs is not None:
            folder.extend(arguments.more_epochs)
    else:
        if arguments.more_epochs is not None:
            raise SettingsError("--more-epochs goes with --resume; the length of a new run is set with --epochs.")
        if arguments.dataset is None:
            raise SettingsError("Name the dataset.json to train on, or add --resume to go on with an interrupted run.")
        group.require_equal_shares(_settings(arguments).batch_size)
        description = RunDescription(
            arguments.method or MethodName.AIDE,
            _settings(arguments),
            arguments.task and _TASKS[arguments.task],
            arguments.baseline,
            arguments.evaluate,
        )
        prepare_run(load_dataset(arguments.dataset), folder, description)


def _refuse_what_a_resumed_run_cannot_change(arguments: argparse.Namespace) -> None:
    fixed = ("dataset", "method", "task", "preset", "epochs", "evaluate", "baseline", "set", "seed")
    values = {name: getattr(arguments, name) for name in fixed}
    # A seed of 0 is one that was given.
    given = [
        name if name == "dataset" else f"--{name}"
        for name, value in values.items()
        if value is not None and value is not False and value != []
    ]
    if given:
        raise SettingsError(
            f"--resume goes on with the run as it was started; {', '.join(given)} cannot be changed any more. Leave "
            f"{'it' if len(given) == 1 else 'them'} out (--more-epochs N trains for longer), or start a new run."
        )


def _tell_what_next(folder: RunFolder) -> None:
    status = folder.read_state()["status"]
    if status == "stopped":
        print(f"Stopped. Go on with: python -m AIDELib train --run {folder.path} --resume")
    else:
        print(f"Model: {folder.model_file}\nSuspect labels: python -m AIDELib review {folder.path}")


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = preset(arguments.preset or DEFAULT_PRESET).with_texts(arguments.set)
    changes = {
        name: value for name, value in (("epochs", arguments.epochs), ("seed", arguments.seed)) if value is not None
    }
    return settings.replace(**changes)


def _list_settings(settings: Settings) -> None:
    values = settings.to_json()
    for name, field in settings.__dataclass_fields__.items():
        print(f"{name} = {values[name]}\n    {field.metadata['help']}")
