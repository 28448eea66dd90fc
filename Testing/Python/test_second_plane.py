"""Networks that see different planes: what is turned, what is averaged, and whole runs."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from case_files import CUBES, write_dataset
from test_review_decision import draw_label
from test_training_run import CPU, assert_same_results, events_named, kill_and_resume, run_training

from AIDELib.aide_method import AIDE
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.checkpoint import load_newest_checkpoint
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import SettingsError
from AIDELib.joint_opinion import JointOpinion, likeliest
from AIDELib.label_pass import predict_in_planes
from AIDELib.model import load_model
from AIDELib.presets import PAPER
from AIDELib.pretraining import pretraining_method
from AIDELib.review_decision import Choice, ReviewDecision, save_decision
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.second_plane import SecondPlane
from AIDELib.settings import Normalization
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.slicing import SliceOrientation, SlicePlan
from AIDELib.stage import Stage
from AIDELib.trainer import train
from AIDELib.training_method import Predictions

SAGITTAL = SlicePlan(SliceOrientation.SAGITTAL, (1.0, 1.0), Normalization.VOLUME, (16, 16))
AXIAL = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.VOLUME, (16, 16))
QUALITIES = {"H": LabelQuality.HQA, "L": LabelQuality.LQA, "U": LabelQuality.UNLABELLED}


def case(name: str, quality: LabelQuality) -> Case:
    label = None if quality is LabelQuality.UNLABELLED else Path("l")
    return Case(name, (Path("i"),), label, quality, Split.TRAIN)


def build(volumes, letters):
    """Return the slices of volumes (z, y, x) in both planes; sagittal first."""
    storage = SliceStorage(CPU)
    cut = [
        CaseSlices(
            case(f"c{index}", QUALITIES[letter]),
            np.moveaxis(volume, 2, 0)[:, None].astype(np.float32),
            None,
            volume[:, None].astype(np.float32),
        )
        for index, (volume, letter) in enumerate(zip(volumes, letters, strict=True))
    ]
    first = SliceSet.build(cut, storage, (16, 16))
    return first, SecondPlane.build(cut, first, SAGITTAL, AXIAL, storage)


def test_labels_follow_the_images_into_the_second_plane():
    random = np.random.default_rng(0)
    volumes = [random.integers(0, 9, (5, 4, 3)), random.integers(0, 9, (6, 2, 7))]
    first, second = build(volumes, "HU")
    labels = first.pad_labels([np.moveaxis(volume, 2, 0).astype(np.uint8) for volume in volumes])
    assert torch.equal(second.labels(labels).float(), second.slices.images[:, 0])
    assert [second.slices.case_shape(index) for index in (0, 1)] == [(5, 4, 3), (6, 2, 7)]
    turned = second.turned(first.case_labels(labels, 1), 1)
    assert np.array_equal(turned, volumes[1])
    assert np.array_equal(second.turned_back(turned, 1), np.moveaxis(volumes[1], 2, 0))


def test_what_both_networks_predict_together_is_the_mean_of_their_probabilities():
    volume = np.zeros((2, 2, 2))
    volume[0, 0, 1] = 1.0  # z, y, x
    _, second = build([volume], "U")

    def sees(share: float):
        def predict(images):
            structure = torch.where(images > 0, share, 0.2)
            return torch.cat([1 - structure, structure], dim=1)

        return predict

    (prediction,) = predict_in_planes((sees(0.6), sees(0.3)), second)
    assert likeliest(prediction.first).tolist() == [[[0, 0], [0, 0]], [[1, 0], [0, 0]]]  # x, z, y
    assert not likeliest(prediction.second).any()
    assert not likeliest(prediction.joint).any()  # (0.6 + 0.3) / 2
    (prediction,) = predict_in_planes((sees(0.6), sees(0.45)), second)
    assert likeliest(prediction.joint).tolist() == [[[0, 0], [0, 0]], [[1, 0], [0, 0]]]


def test_an_opinion_is_the_mean_of_what_was_predicted():
    first, _ = build([np.zeros((1, 1, 3))], "U")
    opinion = JointOpinion(first, first.pad_labels([np.array([[[2]], [[2]], [[2]]], np.uint8)]), 2, 0.6)

    def predict(one, two):
        structures = np.array([one, two], np.float32).reshape(2, 3, 1, 1)
        return np.concatenate([1 - structures.sum(axis=0, keepdims=True), structures])

    assert opinion.labels[:, 7, 7].tolist() == [2, 2, 2]
    labels = opinion.take_up(0, predict((0.8, 0.2, 0.0), (0.2, 0.2, 1.0)), is_first=True)
    assert labels.ravel().tolist() == [1, 0, 2]
    labels = opinion.take_up(0, predict((0.2, 0.9, 0.0), (0.2, 0.0, 1.0)), is_first=False)
    # 0.6 * 0.8 + 0.4 * 0.2 = 0.56 and 0.6 * 0.2 + 0.4 * 0.9 = 0.48 against a background of 0.24 and 0.4
    assert labels.ravel().tolist() == [1, 1, 2]
    assert opinion.shares[0][:, 7, 7].tolist() == [143, 122, 0]
    opinion.settle(0, labels)
    assert opinion.labels[:, 7, 7].tolist() == [1, 1, 2]


def test_nothing_is_remembered_of_many_structures_or_without_memory():
    first, _ = build([np.zeros((1, 1, 3))], "U")
    given = first.pad_labels([np.zeros((3, 1, 1), np.uint8)])
    assert JointOpinion(first, given, 9, 0.6).shares == ()
    opinion = JointOpinion(first, given, 1, 0.0)
    assert opinion.shares == ()
    later = np.array([[0.4, 0.6, 0.6], [0.6, 0.4, 0.4]], np.float32).reshape(2, 3, 1, 1)
    assert opinion.take_up(0, later, is_first=False).ravel().tolist() == [1, 0, 0]


def make_stage(settings, letters, method=None):
    random = np.random.default_rng(1)
    volumes = [random.standard_normal((6, 5, 4)) for _ in letters]
    first, second = build(volumes, letters)
    labels = [random.integers(0, 2, (4, 6, 5)).astype(np.uint8) for _ in letters]
    return Stage(1, method or AIDE(settings), 4, first, first.pad_labels(labels), 1, second=second)


def test_each_network_learns_from_slices_of_its_own_plane(tiny_settings):
    plain = {f"input_{name}": 0.0 for name in ("rotation", "scaling", "stretch", "warp", "intensity")}
    stage = make_stage(tiny_settings.replace(**plain), "HU")
    seen: list[tuple[int, ...]] = []
    losses = stage.method.losses_in_planes

    def watch(learners, batches, epoch, generator):
        seen.append(tuple(len(batch.images) for batch in batches))
        pads = [(batch.plain_images != 0).any(dim=0)[0] for batch in batches]
        shapes = [(int(pad.any(dim=1).sum()), int(pad.any(dim=0).sum())) for pad in pads]
        assert shapes == [(6, 5), (5, 4)]
        return losses(learners, batches, epoch, generator)

    stage.method.losses_in_planes = watch
    result = stage.run_epoch(lambda done, total: None)
    assert seen == [(4, 4)] * 4
    assert [labels.shape for own in result.predictions.labels for labels in own] == [(4, 6, 5)] * 4


def test_suspects_are_those_that_differ_most_from_what_both_predicted(tiny_settings):
    settings = tiny_settings.replace(clean_share=0.5)
    stage = make_stage(settings, "LL")
    batch = stage.batch([0, 1, 2, 3], torch.Generator().manual_seed(0))
    labels = torch.zeros(4, 16, 16, dtype=torch.uint8)
    labels[:, :4, :4] = 1
    proposed = labels.clone()
    proposed[1, :4, :4] = 0
    proposed[3, 0, :2] = 0
    proposed[2, 0, :1] = 0
    batch = dataclasses.replace(batch, labels=(labels, labels), proposed=proposed)
    method = AIDE(settings)
    chosen = method._suspects_in_plane(batch, labels, proposed, method._typical_losses[0])
    assert sorted(chosen.tolist()) == [1, 3]
    generated = dataclasses.replace(batch, generated=torch.tensor([True, False, False, False]))
    chosen = method._suspects_in_plane(generated, labels, proposed, AIDE(settings)._typical_losses[0])
    assert sorted(chosen.tolist()) == [0, 1]


def test_suspects_learn_what_both_predicted_and_the_others_their_labels(tiny_settings):
    none = {f"consistency_{name}": 0.0 for name in ("rotation", "scaling", "intensity", "mixing")}
    settings = tiny_settings.replace(clean_share=0.0, warm_up_epochs=1, averaging=0.0, **none)
    stage = make_stage(settings, "HL")
    method = AIDE(settings)
    batch = stage.batch([0, 1, 4, 5], torch.Generator().manual_seed(0))
    labels = torch.zeros(4, 16, 16, dtype=torch.uint8)
    proposed = torch.ones(4, 16, 16, dtype=torch.uint8)
    batch = dataclasses.replace(
        batch, labels=(labels, labels), proposed=proposed, trusted=torch.tensor([True, True, False, False])
    )
    learners = (stage.learners[0], stage.learners[0])
    loss = method.losses_in_planes(learners, (batch, batch), 2, torch.Generator())[0]
    expected = torch.cat([labels[:2], proposed[2:]])
    assert loss.item() == pytest.approx(method.batch_loss(learners[0].forward(batch.images), expected).item(), abs=1e-5)
    before = method.losses_in_planes(learners, (batch, batch), 1, torch.Generator())[0]
    assert before.item() == pytest.approx(method.batch_loss(learners[0].forward(batch.images), labels).item(), abs=1e-5)


def test_corrections_are_what_both_predict_together(tiny_settings):
    settings = tiny_settings.replace(
        correction_first_epoch=1, correction_share=1.0, correction_needs_consensus=False, correction_interval=1
    )
    stage = make_stage(settings, "HLU")
    before = stage.label_sets[0].labels.clone()
    result = stage.run_epoch(lambda done, total: None)
    assert result.corrected == (("c1", "c2"), ("c1", "c2"))
    for index in (1, 2):
        for label_set in stage.label_sets:
            written = stage.slices.case_labels(label_set.labels, index)
            assert np.array_equal(written, result.predictions.joint[index])
        assert np.array_equal(stage.slices.case_labels(stage.opinion.labels, index), result.predictions.joint[index])
    assert torch.equal(stage.label_sets[0].labels[:4], before[:4])


def test_pretrained_networks_see_their_planes_too(tiny_settings):
    cases = [case("c0", LabelQuality.HQA)]
    assert pretraining_method(cases, tiny_settings, 2).plane_per_network
    assert not pretraining_method(cases, tiny_settings, 1).plane_per_network
    stage = make_stage(tiny_settings, "HH", pretraining_method(cases, tiny_settings, 2))
    result = stage.run_epoch(lambda done, total: None)
    assert len(result.losses) == 2


def test_the_paper_compares_networks_on_the_same_slices():
    with pytest.raises(SettingsError, match="needs plane_per_network=false"):
        PAPER.replace(plane_per_network=True)


@pytest.mark.parametrize("qualities", ["HLU", "HL"])
def test_a_run_on_cubes_is_resumed_as_if_it_had_not_been_broken(tmp_path, tiny_settings, qualities):
    dataset = write_dataset(tmp_path, qualities, grid=CUBES)
    unbroken = run_training(dataset, tmp_path / "unbroken", tiny_settings)
    plans = load_model(unbroken.path).description.plans
    assert [plan.orientation for plan in plans] == [SliceOrientation.AXIAL, SliceOrientation.SAGITTAL]
    broken = RunFolder(tmp_path / "broken")
    prepare_run(load_dataset(dataset), broken, RunDescription("aide", tiny_settings))
    kill_and_resume(broken, "training", 2)
    assert_same_results(broken, unbroken)


def test_one_plane_where_it_is_not_wanted_and_for_baselines(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "HL", grid=CUBES)
    for name, method, settings in (
        ("one", "aide", tiny_settings.replace(plane_per_network=False)),
        ("base", "conventional", tiny_settings),
    ):
        run = run_training(dataset, tmp_path / name, settings, method)
        assert len(load_model(run.path).description.plans) == 1
        assert "opinion" not in load_newest_checkpoint(run.checkpoint_folder).tensors["labels"]


def test_a_decided_label_takes_the_place_of_what_was_proposed(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HU", grid=CUBES), tmp_path / "run", tiny_settings)
    save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
    run.extend(1)
    train(run, CPU)
    assert [event["epoch"] for event in events_named(run, "epoch") if event["stage"] == "training"] == [1, 2, 3, 4]
    labels = load_newest_checkpoint(run.checkpoint_folder).tensors["labels"]
    for kind in ("given", "network1", "network2"):
        assert int(labels[kind][16:].sum()) == 16 * 5 * 6, kind


def test_a_decision_does_not_change_how_a_broken_run_goes_on(tmp_path, tiny_settings):
    dataset = write_dataset(tmp_path, "LLL", grid=CUBES)
    unbroken = run_training(dataset, tmp_path / "unbroken", tiny_settings)
    broken = run_training(dataset, tmp_path / "broken", tiny_settings)
    for run in (unbroken, broken):
        save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
        run.extend(3)
    train(unbroken, CPU)
    kill_and_resume(broken, "training", tiny_settings.pretraining_epochs + 5)
    assert_same_results(broken, unbroken)


def test_all_parts_of_a_structure_are_learned_where_they_are_to_be_kept(tiny_settings):
    parts = np.zeros((3, 3, 5), np.uint8)
    parts[0, 0, 0] = parts[2, 2, 3:] = 1
    kept = make_stage(tiny_settings.replace(largest_component=False), "HU").clean(parts)
    assert np.array_equal(kept, parts)
    assert make_stage(tiny_settings, "HU").clean(parts).sum() == 2


def test_the_run_tells_which_planes_its_networks_see(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HL", grid=CUBES), tmp_path / "run", tiny_settings)
    (notice,) = events_named(run, "notice")
    assert notice["message"] == "The voxels are nearly cubes: network 1 sees axial slices, network 2 sagittal ones."


@pytest.mark.parametrize(("letters", "expected"), [("HLU", ("c2",)), ("HUU", ("c1", "c2"))])
def test_generated_labels_are_corrected_without_a_margin(tiny_settings, letters, expected):
    settings = tiny_settings.replace(correction_first_epoch=1, correction_share=1.0, correction_margin=0.5)
    stage = make_stage(settings, letters)
    labels = [[stage.slices.case_labels(stage.label_sets[0].labels, index) for index in range(3)]] * 2
    predictions = Predictions(tuple(labels), ([0.6] * 3, [0.6] * 3), 1)
    stage.method.correct_labels(stage.slices, stage.label_sets, predictions, 1)
    rewritten = [
        case.id for case, epochs in zip(stage.slices.cases, stage.label_sets[0].corrected_at, strict=True) if epochs
    ]
    assert tuple(rewritten) == expected
