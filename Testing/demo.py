"""The main job from end to end: dataset, training, segmentation, measures, pictures."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from AIDELib.case import LabelQuality, Split
from AIDELib.commands import main as run_command
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.errors import AIDEError
from AIDELib.pictures import draw_training
from AIDELib.run_folder import RunFolder
from Testing.generated_patients import write_generated_patients

# Held against this mark, a folder is known to be the demonstration's own before it is emptied.
MARK = ".aide-demo"


def main() -> int:
    """Run the demonstration and return the process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", help="dataset.json; generated patients by default")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    output: Path = arguments.output
    if output.exists() and any(output.iterdir()) and not (output / MARK).exists():
        print(f"Error: {output} holds other files; name an empty folder with --output.", file=sys.stderr)
        return 2
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / MARK).touch()
    dataset_file = arguments.dataset or _generate(output)
    return _run(dataset_file, output)


def _generate(output: Path) -> Path:
    dataset = write_generated_patients(output / "patients", good=2, rough=6, unlabelled=10, test=6, seed=0)
    dataset_file = output / "dataset.json"
    save_dataset(dataset, dataset_file)
    return dataset_file


def _run(dataset_file: Path, output: Path) -> int:
    run, report = output / "run", output / "report"
    for command in (
        ["check", str(dataset_file)],
        ["train", str(dataset_file), "--run", str(run), "--preset", "quick"],
        ["review", str(run)],
    ):
        if code := _announce_and_run(command):
            return code
    draw_training(list(RunFolder(run).events()), output / "training.png")
    try:
        dataset = load_dataset(dataset_file)
    except AIDEError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    tested = any(case.label for case in dataset.select(Split.TEST))
    if tested:
        code = _announce_and_run(["evaluate", str(dataset_file), "--model", str(run), "--output", str(report)])
        if code:
            return code
    masks = []
    for case in dataset.cases:
        if case.quality is LabelQuality.UNLABELLED:
            masks.append(output / "masks" / f"{case.id}.seg.nrrd")
            images = [str(image) for image in case.images]
            if code := run_command(["predict", str(run), *images, "--output", str(masks[-1])]):
                return code
    print("\nThe results:")
    print(f"  model            {run / 'model.aide'}")
    if masks:
        print(f"  masks            {masks[0].parent}  ({len(masks)} unlabelled cases)")
    if tested:
        print(f"  masks (test)     {report / 'masks'}")
        print(f"  metrics          {report / 'metrics.csv'}, {report / 'metrics.json'}")
        print(f"  pictures         {report / 'overlays'}, {report / 'boxplot.png'}")
    print(f"  training curves  {output / 'training.png'}")
    print(f"  suspect labels   {run / 'review.json'}")
    return 0


def _announce_and_run(command: list[str]) -> int:
    print(f"\n$ python -m AIDELib {' '.join(command)}", flush=True)
    return run_command(command)


if __name__ == "__main__":
    sys.exit(main())
