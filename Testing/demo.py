"""The main job from end to end in a scene without a screen: patients loaded, a dataset built from their segmentations, AIDE
trained in the background, unseen patients segmented, measured, saved and photographed."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from AIDELib.case import Split
from AIDELib.commands.terminal import TerminalProgress
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.errors import AIDEError
from AIDELib.pictures import draw_training
from AIDELib.run_folder import RunFolder
from Testing.generated_patients import write_generated_patients
from Testing.SlicerHost import start

REPOSITORY = Path(__file__).resolve().parents[1]
# Held against this mark, a folder is known to be the demonstration's own before it is emptied.
MARK = ".aide-demo"
# The made-up patients are easier than real ones; what "quick" takes for these would be waiting for nothing.
SETTINGS_FOR_GENERATED = {"epochs": 5, "pretraining_epochs": 3, "iterations_per_epoch": 40, "warm_up_epochs": 3}
# More would crowd the scene; all test cases are measured all the same.
SEGMENTED_PATIENTS = 3


def main() -> int:
    """Run the demonstration and return the process's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", help="dataset.json; generated patients by default")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    output: Path = arguments.output.absolute()
    if output.exists() and any(output.iterdir()) and not (output / MARK).exists():
        print(f"Error: {output} holds other files; name an empty folder with --output.", file=sys.stderr)
        return 2
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / MARK).touch()
    try:
        if arguments.dataset is None:
            _run(_generate(output), output, SETTINGS_FOR_GENERATED)
        else:
            _run(load_dataset(arguments.dataset), output, {})
    except AIDEError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def _generate(output: Path) -> Dataset:
    dataset = write_generated_patients(output / "patients", good=2, rough=6, unlabelled=10, test=6, seed=0)
    save_dataset(dataset, output / "dataset.json")
    return dataset


def _run(dataset: Dataset, output: Path, changes: dict[str, int]) -> None:
    application = start()
    import slicer

    from Testing.demo_pictures import Photographer
    from Testing.demo_scene import load_patient

    for module in ("AIDETraining", "AIDESegmentation"):
        application.moduleManager().load_scripted_module(str(REPOSITORY / module / f"{module}.py"))
    photographer = Photographer(output / "pictures")

    print(f"Loading {len(dataset.cases)} patients into the scene …", flush=True)
    patients = {case.id: load_patient(case, dataset, output / "loaded") for case in dataset.cases}
    slicer.util.selectModule("AIDETraining")
    training = slicer.util.getModuleLogic("AIDETraining")
    for note in training.addCasesFromScene().notes:
        print(f"  {note}")
    for case in dataset.cases:
        training.setSplit([case.id], case.split.value)
        training.setQuality([case.id], case.quality.value)
    photographer.take_training_section("Dataset", "1-dataset")

    run = RunFolder(output / "run")
    training.startTraining(run.path, preset="quick", changes=changes)
    _watch(training, application, run)
    draw_training(list(run.events()), output / "pictures" / "training-curves.png")
    for number, section in ((2, "Training"), (3, "Review"), (4, "Results")):
        photographer.take_training_section(section, f"{number}-{section.lower()}")

    test_cases = dataset.select(Split.TEST) or dataset.cases[-1:]
    segmentation = slicer.util.getModuleLogic("AIDESegmentation")
    print("Segmenting unseen patients …", flush=True)
    for case in test_cases[:SEGMENTED_PATIENTS]:
        patient = patients[case.id]
        predicted = segmentation.segment(run.model_file, patient.volumes)
        if patient.segmentation is not None:
            _print_comparison(case.id, segmentation.compare(predicted, patient.segmentation))
        photographer.take_slices(f"5-{case.id}", patient.volumes[0], predicted)
    training.openInSegmentation()
    photographer.take_main_window("6-segmentation")
    scene_file = output / "scene.mrb"
    if not slicer.util.saveScene(str(scene_file)):
        raise AIDEError(f"The scene could not be saved as {scene_file}.")
    _print_places(run, output, scene_file)


def _watch(training, application, run: RunFolder) -> None:
    """Tell of the training until it ends, while the application answers."""
    from AIDETrainingLib.run_view import ACTIVE_PHASES, RunPhase

    told = 0
    with TerminalProgress() as terminal:
        while True:
            application.processEvents()
            view = training.runView()
            events = list(run.events())
            for event in events[told:]:
                terminal.show_event(event)
            told = len(events)
            if view.phase not in ACTIVE_PHASES:
                break
            terminal.show_event({"event": "state", **run.read_state()})
            time.sleep(0.2)
    if view.phase is not RunPhase.FINISHED:
        raise AIDEError(view.text)


def _print_comparison(case_id: str, metrics) -> None:
    described = ", ".join(f"{name} DSC {row['DSC']:.3f}" for name, row in metrics.items())
    print(f"  {case_id}: {described}", flush=True)


def _print_places(run: RunFolder, output: Path, scene_file: Path) -> None:
    print("\nThe results:")
    print(f"  model            {run.model_file}")
    if run.report_folder.is_dir():
        print(f"  metrics          {run.report_folder / 'metrics.csv'}")
        print(f"  masks            {run.report_folder / 'masks'}")
        print(f"  overlays         {run.report_folder / 'overlays'}, {run.report_folder / 'boxplot.png'}")
    print(f"  suspect labels   {run.review_file}")
    print(f"  pictures         {output / 'pictures'}")
    print(f"  scene            {scene_file}  (open it in 3D Slicer)")


if __name__ == "__main__":
    sys.exit(main())
