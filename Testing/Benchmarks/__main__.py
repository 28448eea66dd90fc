"""Command line: `python -m Testing.Benchmarks EXPERIMENT --output DIR`."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

from AIDELib.errors import AIDEError
from AIDELib.presets import PRESETS
from Testing.Benchmarks.experiment import Experiment
from Testing.Benchmarks.experiments import EXPERIMENTS
from Testing.Benchmarks.measured_process import REPOSITORY, ProcessFailed
from Testing.Benchmarks.report import write_report
from Testing.Benchmarks.runner import load_outcomes, run_experiment
from Testing.Benchmarks.source import read_source

DATA = REPOSITORY.parent / "shared" / "data"


def main(arguments: list[str] | None = None) -> int:
    """Run an experiment and write its report; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        experiment = _with_settings(EXPERIMENTS[options.experiment], options.set)
    except AIDEError as error:
        print(error, file=sys.stderr)
        return 2
    arms = [arm for arm in experiment.arms if not options.arms or arm.name in options.arms]
    unknown = set(options.arms) - {arm.name for arm in arms}
    if unknown:
        names = "', '".join(arm.name for arm in experiment.arms)
        print(
            f"There is no arm '{', '.join(sorted(unknown))}' in {experiment.name}. Its arms: '{names}'.",
            file=sys.stderr,
        )
        return 2
    scenarios = [name for name in options.scenarios if name not in {one.name for one in experiment.scenarios}]
    if scenarios:
        names = "', '".join(scenario.name for scenario in experiment.scenarios)
        print(f"There is no scenario '{scenarios[0]}' in {experiment.name}. Its scenarios: '{names}'.", file=sys.stderr)
        return 2
    try:
        if not options.report_only:
            source = read_source(experiment, options.data)
            seeds = range(options.seeds or experiment.seeds)
            run_experiment(experiment, source, options.output, seeds, arms, options.scenarios, options.device)
        print(write_report(experiment, load_outcomes(experiment, options.output), options.output))
    except (AIDEError, ProcessFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _with_settings(experiment: Experiment, assignments: list[str]) -> Experiment:
    """Return an experiment whose arms all have some settings changed, but for those in which the arms differ."""
    values = PRESETS["quick"].with_texts(assignments).to_json()
    names = [assignment.partition("=")[0].strip() for assignment in assignments]
    return replace(experiment, changes={**experiment.changes, **{name: values[name] for name in names}})


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:24} {experiment.title}" for name, experiment in EXPERIMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m Testing.Benchmarks",
        description=f"Run an experiment on real images and write REPORT.md. Experiments:\n{listing}\n\n"
        "An interrupted experiment goes on where it was when it is started again with the same --output.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("experiment", choices=EXPERIMENTS, metavar="EXPERIMENT", help="one of the above")
    parser.add_argument("--output", type=Path, required=True, help="folder for outcomes, runs and report")
    parser.add_argument(
        "--data", type=Path, default=DATA, help=f"folder of the data sets (default: {DATA}), or any dataset.json"
    )
    parser.add_argument("--seeds", type=int, help="number of seeds (default: the experiment's own)")
    parser.add_argument("--arms", nargs="+", default=[], metavar="ARM", help="only these arms")
    parser.add_argument("--scenarios", nargs="+", default=[], metavar="SCENARIO", help="only these scenarios")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="change settings of all arms, into an output folder of their own; for a GPU: slice_size=256 network_width=16",
    )
    parser.add_argument("--device", default="auto", help="as for AIDELib (default: auto)")
    parser.add_argument("--report-only", action="store_true", help="train nothing, write the report of what is there")
    return parser


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # As with Ctrl+C, the training that runs is ended, too.
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
