import dataclasses
import hashlib
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import CUBES, FLAT, write_dataset

from AIDELib.case import LabelQuality
from AIDELib.case_volumes import read_case
from AIDELib.checkpoint import checkpoint_files
from AIDELib.dataset import find_case
from AIDELib.dataset_file import load_dataset, save_dataset
from AIDELib.errors import AIDEError, DatasetError, RunError
from AIDELib.label_correction import agreement
from AIDELib.methods import METHODS
from AIDELib.model import load_model
from AIDELib.networks import register_network
from AIDELib.predictor import Predictor
from AIDELib.review import read_review
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.settings import Precision
from AIDELib.trainer import train
from AIDELib.volume import read_image
from AIDELib.watched_folder import Request

CPU = torch.device("cpu")


def run_training(dataset_file: Path, folder: Path, settings, method="aide", listener=lambda event: None) -> RunFolder:
    run = RunFolder(folder)
    prepare_run(load_dataset(dataset_file), run, RunDescription(method, settings))
    train(run, CPU, listener)
    return run


def weights_digest(run: RunFolder) -> str:
    digest = hashlib.sha256()
    for weights in load_model(run.model_file).weights:
        for name, tensor in sorted(weights.items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def label_files(run: RunFolder) -> dict[str, bytes]:
    return {
        str(path.relative_to(run.path)): sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes()
        for folder in (run.corrected_folder, run.suggested_folder)
        for path in sorted(folder.rglob("*.seg.nrrd"))
    }


def events_named(run: RunFolder, name: str) -> list[dict]:
    return [event for event in run.events() if event["event"] == name]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_from_all_kinds_of_labels(tmp_path, tiny_settings, method):
    run = run_training(write_dataset(tmp_path, "HHLU"), tmp_path / "run", tiny_settings, method)
    assert run.read_state()["status"] == "finished"
    epochs = [event for event in events_named(run, "epoch") if event["stage"] == "training"]
    # Where nothing is labelled first, the training is as long as both together.
    assert [event["epoch"] for event in epochs] == ([1, 2, 3, 4, 5] if method == "supervised" else [1, 2, 3])
    assert load_model(run.path).description.training["method"] == method
    reviewed = {case.case for case in read_review(run)}
    assert reviewed == ({"p0", "p1"} if method == "supervised" else {"p0", "p1", "p2", "p3"})
    if method in ("conventional", "supervised"):
        assert not run.corrected_folder.exists()


def test_pseudo_label_rewrites_all_but_the_good_labels_after_every_epoch(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HHLU"), tmp_path / "run", tiny_settings, "pseudo-label")
    assert [(event["epoch"], event["cases"]) for event in events_named(run, "correction")] == [
        (epoch, ["p2", "p3"]) for epoch in (1, 2, 3)
    ]


def test_aide_corrects_on_its_schedule_and_never_a_good_label(tmp_path, tiny_settings):
    settings = tiny_settings.replace(correction_share=1, correction_needs_consensus=False, correction_first_epoch=2)
    run = run_training(write_dataset(tmp_path, "HHLL"), tmp_path / "run", settings)
    corrections = events_named(run, "correction")
    # Two epochs that learn the labels as they are precede the three that doubt them.
    assert {event["epoch"] for event in corrections} == {4, 5}
    assert {case for event in corrections for case in event["cases"]} == {"p2", "p3"}
    files = sorted(path.name for path in (run.corrected_folder / "network1").iterdir())
    assert files == ["p2.seg.nrrd", "p3.seg.nrrd"]
    image = sitk.ReadImage(str(tmp_path / "p2_0.nii.gz"))
    corrected = sitk.ReadImage(str(run.corrected_folder / "network1" / "p2.seg.nrrd"))
    assert (corrected.GetSize(), corrected.GetSpacing(), corrected.GetOrigin()) == (
        image.GetSize(),
        image.GetSpacing(),
        image.GetOrigin(),
    )


def test_without_unlabelled_cases_the_labels_are_learned_before_they_are_doubted(tmp_path, tiny_settings):
    settings = tiny_settings.replace(correction_share=0, learning_rate_schedule="halving")
    dataset = write_dataset(tmp_path, "HLL")
    doubting = run_training(dataset, tmp_path / "doubting", settings)
    trusting = run_training(dataset, tmp_path / "trusting", settings.replace(pretraining_epochs=5, epochs=1))
    at_once = run_training(dataset, tmp_path / "at once", settings.replace(pretrained_start=False))
    losses = [[event["loss"] for event in events_named(run, "epoch")] for run in (doubting, trusting, at_once)]
    assert {event["stage"] for event in events_named(doubting, "epoch")} == {"training"}
    assert [len(own) for own in losses] == [5, 6, 3]
    # The consistency loss starts from 0: the first epoch that it changes is the second one of doubt, the fourth of all.
    assert losses[0][:3] == losses[1][:3]
    assert losses[0][3] != losses[1][3]
    assert losses[2][0] == losses[0][0]
    assert losses[2][1] != losses[0][1]
    # As long, but the second epoch of doubt is the third of all.
    earlier = run_training(dataset, tmp_path / "earlier", settings.replace(trusting_epochs=1))
    losses_of_earlier = [event["loss"] for event in events_named(earlier, "epoch")]
    assert len(losses_of_earlier) == 5
    assert losses_of_earlier[:2] == losses[0][:2]
    assert losses_of_earlier[2] != losses[0][2]


def test_methods_that_label_nothing_first_train_as_long_as_those_that_do(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HHU")
    stages = {}
    for method in ("supervised", "conventional"):
        run = run_training(dataset, tmp_path / method, tiny_settings, method)
        stages[method] = [event["stage"] for event in events_named(run, "epoch")]
        assert events_named(run, "start")[0]["added_epochs"] == (2 if method == "supervised" else 0)
    assert stages == {"supervised": ["training"] * 5, "conventional": ["pretraining"] * 2 + ["training"] * 3}


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HLU")
    first, again, other = (
        run_training(dataset, tmp_path / name, tiny_settings.replace(seed=seed))
        for name, seed in (("first", 7), ("again", 7), ("other", 8))
    )
    assert weights_digest(first) == weights_digest(again) != weights_digest(other)
    assert label_files(first) == label_files(again)
    image = [read_image(tmp_path / "p3_0.nii.gz")]
    masks = [
        sitk.GetArrayFromImage(Predictor(load_model(run.path), CPU).predict(image).probabilities[0])
        for run in (first, again)
    ]
    assert masks[0].tobytes() == masks[1].tobytes()


class Killed(BaseException):
    """Ends the training as abruptly as a lost process would: nothing of AIDE's catches it."""


def kill_and_resume(run: RunFolder, stage: str, epoch: int, device: torch.device = CPU) -> None:
    """Train a run, lose its process as soon as it tells of an epoch of a stage, and train on."""

    def kill(event):
        if event.get("stage") == stage and event.get("epoch") == epoch:
            raise Killed

    with pytest.raises(Killed):
        train(run, device, kill)
    train(run, device)


def assert_same_results(run: RunFolder, other: RunFolder) -> None:
    assert weights_digest(run) == weights_digest(other)
    assert label_files(run) == label_files(other)
    assert run.review_file.read_text() == other.review_file.read_text()


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize(("stage", "epoch"), [("pretraining", 2), ("training", 1), ("training", 3)])
def test_a_killed_and_resumed_run_equals_an_unbroken_one(tmp_path, tiny_settings, stage, epoch, averaging):
    settings = tiny_settings.replace(averaging=averaging, correction_share=1, correction_needs_consensus=False)
    dataset = write_dataset(tmp_path, "HLU")
    unbroken = run_training(dataset, tmp_path / "unbroken", settings)

    broken = RunFolder(tmp_path / "broken")
    prepare_run(load_dataset(dataset), broken, RunDescription("aide", settings))

    kill_and_resume(broken, stage, epoch)
    assert_same_results(broken, unbroken)


def test_a_damaged_checkpoint_costs_one_epoch_and_nothing_else(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL")
    unbroken = run_training(dataset, tmp_path / "unbroken", tiny_settings)
    damaged = run_training(dataset, tmp_path / "damaged", tiny_settings)
    newest = checkpoint_files(damaged.checkpoint_folder)[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    train(damaged, CPU)
    assert weights_digest(damaged) == weights_digest(unbroken)


def test_checkpoints_none_of_which_can_be_read(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HL"), tmp_path / "run", tiny_settings)
    for path in checkpoint_files(run.checkpoint_folder):
        path.write_bytes(b"no zip")
    with pytest.raises(RunError, match=r"No checkpoint in .* can be read .*Start the run anew"):
        train(run, CPU)
    assert run.read_state()["status"] == "failed"


def test_stop_ends_the_run_and_resume_finishes_it(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL")
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(dataset), run, RunDescription("aide", tiny_settings))

    def stop_after_first_epoch(event):
        if event["event"] == "epoch" and event["stage"] == "training":
            run.ask(Request.STOP)
            time.sleep(0.25)

    train(run, CPU, stop_after_first_epoch)
    assert run.read_state()["status"] == "stopped"
    assert not run.is_asked(Request.STOP)
    assert load_model(run.path).description.training["epoch"] == 1
    train(run, CPU)
    assert run.read_state()["status"] == "finished"
    assert weights_digest(run) == weights_digest(run_training(dataset, tmp_path / "unbroken", tiny_settings))


def test_pause_holds_the_run_until_it_is_withdrawn(tmp_path, tiny_settings):
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(write_dataset(tmp_path, "HL")), run, RunDescription("aide", tiny_settings))
    held = []

    def pause_after_first_epoch(event):
        if event["event"] == "epoch" and event["stage"] == "training" and event["epoch"] == 1:
            run.ask(Request.PAUSE)
            time.sleep(0.25)
        if event["event"] == "paused":
            held.append(run.read_state()["status"])
            threading.Timer(0.3, run.withdraw, [Request.PAUSE]).start()

    train(run, CPU, pause_after_first_epoch)
    assert held == ["paused"]
    assert [event["event"] for event in run.events() if event["event"] in ("paused", "continued", "finished")] == [
        "paused",
        "continued",
        "finished",
    ]


def test_progress_tells_share_and_time_left(tmp_path, tiny_settings):
    states = []
    run = run_training(
        write_dataset(tmp_path, "HL"),
        tmp_path / "run",
        tiny_settings,
        listener=lambda event: states.append(event) if event["event"] == "state" else None,
    )
    assert states[-1]["status"] == "finished"
    assert states[-1]["seconds_left"] == 0
    assert run.read_state()["share"] == 1


def test_the_best_epoch_is_chosen_by_validation_cases(tmp_path, tiny_settings):
    path = write_dataset(tmp_path, "HLL")
    document = json.loads(path.read_text())
    document["cases"][1] |= {"split": "val", "quality": "HQA"}
    path.write_text(json.dumps(document))
    run = run_training(path, tmp_path / "run", tiny_settings)
    scores = {event["epoch"]: float(np.mean(event["dsc"])) for event in events_named(run, "validation")}
    best = load_model(run.path).description.training
    assert best["score"]["kind"] == "validation DSC"
    assert best["epoch"] == max(scores, key=lambda epoch: (scores[epoch], epoch))
    assert "p1" not in {case.case for case in read_review(run)}


@pytest.mark.parametrize("grid", [FLAT, CUBES])
def test_the_model_predicts_what_was_validated(tmp_path, tiny_settings, grid):
    path = write_dataset(tmp_path, "HUHL", grid=grid)
    document = json.loads(path.read_text())
    document["cases"][2]["split"] = "val"
    path.write_text(json.dumps(document))
    run = run_training(path, tmp_path / "run", tiny_settings.replace(precision=Precision.FLOAT32))
    model = load_model(run.path)
    # Networks that know so little predict other volumes than the labels have, which is set right.
    assert any(any(own) for own in model.description.offsets)
    assert len(model.description.distinct_plans) == (2 if grid == CUBES else 1)
    predictor, dataset = Predictor(model, CPU), load_dataset(run.dataset_file)
    volumes = read_case(find_case(dataset, "p2"), dataset)
    predicted = sitk.GetArrayFromImage(predictor.predict(volumes.channels).labels)
    measured = agreement(predicted, sitk.GetArrayFromImage(volumes.label), 1)
    assert measured == pytest.approx(model.description.training["score"]["value"], abs=1e-6)


def test_a_method_that_learns_from_good_labels_alone_has_the_statistics_of_what_is_to_be_predicted(
    tmp_path, tiny_settings
):
    dataset = load_dataset(write_dataset(tmp_path, "HHUU"))
    labelled = [case for case in dataset.cases if case.quality is not LabelQuality.UNLABELLED]
    runs = []
    for name, cases in (("with", dataset.cases), ("without", labelled)):
        folder = tmp_path / f"{name}.json"
        save_dataset(dataclasses.replace(dataset, cases=tuple(cases)), folder)
        runs.append(load_model(run_training(folder, tmp_path / name, tiny_settings, method="supervised").path))
    (given,), (alone,) = (model.weights for model in runs)
    running = [name for name in given if "running" in name]
    assert all(torch.equal(given[name], alone[name]) for name in given.keys() - set(running) if "batches" not in name)
    assert not any(torch.equal(given[name], alone[name]) for name in running)


def test_test_cases_are_never_read(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL")
    (tmp_path / "p2_0.nii.gz").write_bytes(b"would fail to load")
    assert run_training(dataset, tmp_path / "run", tiny_settings).read_state()["status"] == "finished"


def test_a_network_of_the_users_own(tmp_path, tiny_settings):
    class Plain(torch.nn.Sequential):
        def __init__(self, channels, classes, width):
            super().__init__(
                torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(width, classes, 1)
            )

    register_network("plain", Plain)
    run = run_training(write_dataset(tmp_path, "HU", 2), tmp_path / "run", tiny_settings.replace(network="plain"))
    assert load_model(run.path).description.network == "plain"
    images = [read_image(tmp_path / f"p2_{channel}.nii.gz") for channel in range(2)]
    assert Predictor(load_model(run.path), CPU).predict(images).labels.GetSize() == images[0].GetSize()


def test_supervised_needs_good_labels(tmp_path, tiny_settings):
    run = RunFolder(tmp_path / "run")
    with pytest.raises(DatasetError, match=r"'supervised' learns from HQA cases only.*Mark the best-labelled"):
        prepare_run(load_dataset(write_dataset(tmp_path, "LL")), run, RunDescription("supervised", tiny_settings))
    assert not run.path.exists()


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL")
    run = run_training(dataset, tmp_path / "run", tiny_settings)
    before = weights_digest(run)
    with pytest.raises(RunError, match=r"already holds a run.*--resume"):
        prepare_run(load_dataset(dataset), run, RunDescription("aide", tiny_settings))
    assert weights_digest(run) == before
    untrained = RunFolder(tmp_path / "untrained")
    prepare_run(load_dataset(dataset), untrained, RunDescription("aide", tiny_settings))
    with pytest.raises(RunError, match="already holds a run, of which nothing is trained yet: delete it"):
        prepare_run(load_dataset(dataset), untrained, RunDescription("aide", tiny_settings))


def test_a_fault_in_an_image_ends_the_run_with_its_case_and_loses_nothing(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL")
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(dataset), run, RunDescription("aide", tiny_settings))
    good = (tmp_path / "p1_0.nii.gz").read_bytes()
    (tmp_path / "p1_0.nii.gz").write_bytes(b"damaged")
    with pytest.raises(AIDEError, match="Case 'p1'"):
        train(run, CPU)
    assert "Case 'p1'" in run.read_state()["message"]
    (tmp_path / "p1_0.nii.gz").write_bytes(good)
    train(run, CPU)
    assert run.read_state()["status"] == "finished"


def test_review_ranks_the_wrong_label_first(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HHHLLL")
    wrong = sitk.ReadImage(str(tmp_path / "p4_label.nii.gz"))
    moved = np.roll(sitk.GetArrayFromImage(wrong), 9, axis=1)
    image = sitk.GetImageFromArray(moved)
    image.CopyInformation(wrong)
    sitk.WriteImage(image, str(tmp_path / "p4_label.nii.gz"))
    settings = tiny_settings.replace(network_width=4, epochs=6, iterations_per_epoch=20, learning_rate=0.01)
    run = run_training(dataset, tmp_path / "run", settings)
    ranked = read_review(run)
    assert ranked[0].case == "p4"
    assert ranked[0].suspicion > 0.5 > ranked[1].suspicion
    assert len(ranked[0].trend) == 8
    assert (run.path / ranked[0].suggestion).exists()


def test_a_full_disk_ends_the_run_with_a_sentence_and_it_resumes(tmp_path, tiny_settings, monkeypatch):
    dataset = write_dataset(tmp_path, "HL")
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(dataset), run, RunDescription("aide", tiny_settings))

    def fill_disk(*arguments):
        raise OSError(28, "No space left on device", "checkpoint.zip")

    with monkeypatch.context() as patch:
        patch.setattr("AIDELib.run_stages.save_checkpoint", fill_disk)
        with pytest.raises(RunError, match=r"No space left on device \(checkpoint.zip\). Finished epochs are kept"):
            train(run, CPU)
    assert run.read_state()["status"] == "failed"
    train(run, CPU)
    assert weights_digest(run) == weights_digest(run_training(dataset, tmp_path / "unbroken", tiny_settings))


def test_too_little_memory_ends_the_run_with_advice(tmp_path, tiny_settings, monkeypatch):
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(write_dataset(tmp_path, "HL")), run, RunDescription("aide", tiny_settings))

    def fill_memory(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("AIDELib.stage.Stage.run_epoch", fill_memory)
    with pytest.raises(RunError, match="smaller batch_size"):
        train(run, CPU)
    assert "smaller batch_size" in run.read_state()["message"]
