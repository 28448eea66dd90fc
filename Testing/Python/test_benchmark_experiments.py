"""The experiments' own code: training sets, outcomes, comparison, audit, and one run from end to end."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import write_dataset

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError
from AIDELib.folder_lock import FolderLock
from AIDELib.method_name import MethodName, learned_qualities
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.structure import Structure
from AIDELib.trainer import train
from Testing.Benchmarks import correction_pictures
from Testing.Benchmarks.__main__ import main
from Testing.Benchmarks.comparison import summarize_arms
from Testing.Benchmarks.correction_pictures import picture_corrections
from Testing.Benchmarks.domain_shift import DomainShift
from Testing.Benchmarks.experiment import Arm, Experiment, Scenario, TrainingSet, file_name
from Testing.Benchmarks.experiments import EXPERIMENTS
from Testing.Benchmarks.given_labels import GivenLabels, dataset_with
from Testing.Benchmarks.label_audit import audit_labels
from Testing.Benchmarks.label_corruption import Severity
from Testing.Benchmarks.outcome import LabelOutcome, Outcome, load_outcome, save_outcome
from Testing.Benchmarks.present_structures import structures_of
from Testing.Benchmarks.report import write_report
from Testing.Benchmarks.runner import LOCK, arm_settings, load_outcomes, run_experiment
from Testing.Benchmarks.score import Score
from Testing.Benchmarks.training_labels import TrainingLabels, read_training_labels
from Testing.Benchmarks.training_sets import draw_cases, noisy_labels, semi_supervised, shifted_domain


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    return load_dataset(write_dataset(tmp_path / "source", "HHHHHHH", test_cases=0))


def split_ids(dataset, split):
    return {case.id for case in dataset.cases if case.split is split}


def test_the_test_cases_are_the_same_for_every_seed_and_never_trained_on(source):
    drawn = [draw_cases(source, 4, 2, seed) for seed in range(6)]
    assert all([case.id for case in test] == ["p5", "p6"] for _, test in drawn)
    assert all(not {case.id for case in training} & {"p5", "p6"} for training, _ in drawn)
    assert len({tuple(case.id for case in training) for training, _ in drawn}) > 1
    with pytest.raises(DatasetError, match="6 training and 2 test cases are needed, but only 7 are labelled"):
        draw_cases(source, 6, 2, 0)


def test_semi_supervised_hides_labels_from_the_arms_and_keeps_them_as_truth(source, tmp_path):
    made = semi_supervised(1, 3, 2)(source, tmp_path, 0)
    qualities = [case.quality for case in made.dataset.cases if case.split is Split.TRAIN]
    assert qualities == [LabelQuality.HQA, *[LabelQuality.UNLABELLED] * 3]
    assert set(made.truths) == split_ids(made.dataset, Split.TRAIN)
    assert not made.corrupted


def test_noisy_labels_spoil_the_share_that_was_asked_for(source, tmp_path):
    made = noisy_labels(5, 0.6, Severity.SEVERE, 2)(source, tmp_path / "made", 3)
    assert len(made.corrupted) == 3
    for case in made.dataset.cases:
        if case.split is Split.TRAIN:
            assert case.quality is LabelQuality.LQA
            given = sitk.GetArrayFromImage(sitk.ReadImage(str(case.label)))
            truth = sitk.GetArrayFromImage(sitk.ReadImage(str(made.truths[case.id])))
            assert (case.id in made.corrupted) == bool((given != truth).any())
            assert set(np.unique(given)) == {0, 5}


def test_a_shifted_domain_has_other_images_on_the_same_grid(source, tmp_path):
    made = shifted_domain(2, 3, DomainShift(gamma=2.0), 2)(source, tmp_path / "made", 0)
    originals = {case.id: case for case in source.cases}
    for case in made.dataset.cases:
        image = sitk.ReadImage(str(case.images[0]))
        original = sitk.ReadImage(str(originals[case.id].images[0]))
        same = np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(original))
        assert same == (case.domain == "source")
        assert image.GetSpacing() == original.GetSpacing()
    assert {case.domain for case in made.dataset.cases if case.split is Split.TEST} == {"target"}


def outcome(arm, seed, dsc, labels=()):
    return Outcome(
        "S", arm, seed, {"a": {"x": dsc, "y": dsc}}, {}, labels, 2.0, 1.0, 0.5, {"epochs": 3}, "a machine", {}
    )


def test_an_outcome_is_saved_and_read(tmp_path):
    label = LabelOutcome("c", True, 0.25, 0.5, None, 0.75)
    saved = outcome("A", 3, 0.5, (label,))
    save_outcome(saved, tmp_path / "o.json")
    assert load_outcome(tmp_path / "o.json") == saved


def test_the_structures_of_a_case_are_those_in_its_label(tmp_path):
    first, second = (Structure(name, (value,), (0, 0, 0)) for name, value in (("liver", 7), ("spleen", 2)))
    sitk.WriteImage(sitk.GetImageFromArray(np.eye(4)), str(tmp_path / "image.nrrd"))
    labels = np.zeros((4, 4), np.uint8)
    labels[1, 2] = 2
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(tmp_path / "label.nrrd"))
    case = Case("a", (tmp_path / "image.nrrd",), tmp_path / "label.nrrd", LabelQuality.HQA, Split.TEST)
    assert structures_of(case, Dataset(("image",), (first, second), (case,))) == {"spleen"}


def test_structures_that_a_case_does_not_have_are_in_no_mean(tmp_path):
    scenario = EXPERIMENTS["chaos"].scenarios[0].name
    own = replace(
        outcome("AIDE standard", 0, 0.5),
        scenario=scenario,
        dsc={"a": {"liver": 0.9}, "b": {}},
        absent={"a": {"spleen": True}, "b": {"liver": False, "spleen": True}},
    )
    assert own.by_case(Score.DSC) == {"a": 0.9}
    text = write_report(EXPERIMENTS["chaos"], [own], tmp_path).read_text()
    assert "are in no mean. Drawn all the same: AIDE standard 2 of 3." in text
    assert "Machine: a machine." in text


def test_arms_are_compared_seed_by_seed():
    outcomes = [outcome("A", 0, 0.8), outcome("A", 1, 0.9), outcome("A", 2, 0.7)]
    outcomes += [outcome("B", 1, 0.8), outcome("B", 0, 0.6)]
    candidate, other = summarize_arms(outcomes, "S", "A", Score.DSC)
    assert candidate.gain is None
    assert candidate.mean == pytest.approx(0.8)
    # Seed 2 has no partner.
    assert other.gain.count == 2
    assert other.gain.difference == pytest.approx(0.15)


def test_arms_are_compared_by_the_score_of_their_experiment(tmp_path):
    experiment = EXPERIMENTS["qubiq-kidney"]
    scenario = experiment.scenarios[0].name
    scores = {"AIDE standard": {"a": 0.95, "b": 0.85}, "conventional": {"a": 0.75, "b": 0.65}}
    outcomes = [replace(outcome(arm, 0, 0.5), scenario=scenario, qubiq=qubiq) for arm, qubiq in scores.items()]
    assert outcomes[0].mean(Score.DSC) == pytest.approx(0.5)
    assert math.isnan(replace(outcomes[0], qubiq={}).mean(Score.QUBIQ))
    text = write_report(experiment, outcomes, tmp_path).read_text()
    assert "| arm | seeds | QUBIQ score |" in text
    assert "| AIDE standard | 1 | 0.900 |" in text
    assert "| conventional | 1 | 0.700 | 0.700 | +0.200 |" in text


def test_the_audit_of_labels():
    spoiled = [LabelOutcome(f"s{i}", True, 0.5 - 0.1 * i, None, 0.6, 0.8) for i in range(2)]
    good = [LabelOutcome(f"g{i}", False, 0.45 - 0.1 * i, None, 1.0, 0.98) for i in range(3)]
    audit = audit_labels([*good, *spoiled], top=2)
    # Suspicions 0.5, 0.4 against 0.45, 0.35, 0.25: five of six pairs in the right order.
    assert audit.auroc == pytest.approx(5 / 6)
    assert audit.precision == 0.5
    assert audit.corrupted_gain == pytest.approx(0.2)
    assert audit.correct_gain == pytest.approx(-0.02)
    assert math.isnan(audit_labels(good).auroc)


def test_an_arm_trains_as_much_longer_as_it_says():
    arm = Arm("A", "conventional", changes={"epochs": 4, "pretraining_epochs": 6}, length=2.5)
    experiment = EXPERIMENTS["hippocampus"]
    # 2.5 x (6 + 4) in all, of which 6 are the pretraining or take its place.
    assert arm_settings(experiment, arm)["epochs"] == 19
    # Where the pretraining makes labels alone, the training is all there is.
    assert arm_settings(experiment, replace(arm, preset="paper"))["epochs"] == 10


def test_the_arms_of_the_hippocampus_experiment_have_the_epochs_that_were_measured():
    experiment = EXPERIMENTS["hippocampus"]
    epochs = {
        arm.name: arm_settings(experiment, arm)["epochs"] + 13 for arm in experiment.arms if arm.preset == "quick"
    }
    assert epochs["AIDE standard"] == epochs["conventional"] == 16
    assert epochs["supervised + EMA + augmented, longer"] == 39
    assert epochs["conventional + EMA + augmented, longer"] == epochs["supervised, two planes, longer"] == 29


def test_every_experiment_names_its_candidate_and_has_arms_of_different_names():
    for experiment in EXPERIMENTS.values():
        names = [file_name(arm.name) for arm in experiment.arms]
        assert experiment.candidate in [arm.name for arm in experiment.arms]
        assert len(set(names)) == len(names)


def test_no_arm_of_the_hippocampus_experiment_lacks_cases_to_learn_from(tmp_path):
    (tmp_path / "source").mkdir()
    source = load_dataset(write_dataset(tmp_path / "source", "H" * 115, test_cases=0))
    experiment = EXPERIMENTS["hippocampus"]
    left_out = {}
    for scenario in experiment.scenarios:
        made = scenario.prepare(source, tmp_path / file_name(scenario.name), 0)
        for arm in experiment.arms:
            given = dataset_with(arm.labels, made.dataset, made.truths)
            qualities = {case.quality for case in given.cases if case.split is Split.TRAIN}
            can_learn = bool(qualities & learned_qualities(MethodName(arm.method)) - {LabelQuality.UNLABELLED})
            assert can_learn or arm.name in scenario.pointless
        left_out[scenario.name] = len(scenario.pointless)
    assert left_out == {"SSL": 1, "NLL mild": 4, "NLL moderate": 4, "NLL severe": 4, "UDA": 1}


def test_arms_are_given_what_they_ask_for(source, tmp_path):
    made = semi_supervised(1, 3, 2)(source, tmp_path, 0)
    truly = dataset_with(GivenLabels.TRUE, made.dataset, made.truths)
    alone = dataset_with(GivenLabels.LABELLED_CASES_ALONE, made.dataset, made.truths)
    assert dataset_with(GivenLabels.AS_PREPARED, made.dataset, made.truths) is made.dataset
    assert [case.quality for case in truly.cases] == [LabelQuality.HQA] * 6
    assert all(case.label == made.truths[case.id] for case in truly.cases if case.split is Split.TRAIN)
    assert [case.split for case in alone.cases] == [Split.TRAIN, Split.TEST, Split.TEST]
    assert split_ids(alone, Split.TEST) == split_ids(made.dataset, Split.TEST)


def test_an_arm_that_is_pointless_on_a_scenario_is_not_trained_there(source, tmp_path):
    arm = Arm("broken", "conventional", changes={"batch_size": 0})
    scenario = Scenario("S", semi_supervised(1, 2, 1), pointless=frozenset({"broken"}))
    experiment = replace(EXPERIMENTS["hippocampus"], scenarios=(scenario,))
    run_experiment(experiment, source, tmp_path / "out", [0], [arm], [], "cpu")
    assert not (tmp_path / "out" / "s").exists()


def test_an_unknown_arm_is_named(capsys, tmp_path):
    assert main(["hippocampus", "--output", str(tmp_path), "--arms", "nobody"]) == 2
    assert "There is no arm 'nobody' in hippocampus" in capsys.readouterr().err


def test_a_setting_that_cannot_be_is_named(capsys, tmp_path):
    command = ["hippocampus", "--output", str(tmp_path), "--data", str(tmp_path), "--set"]
    assert main([*command, "network_width=0"]) == 2
    assert "network_width" in capsys.readouterr().err
    assert main([*command, "width=3"]) == 2
    assert "width" in capsys.readouterr().err


def test_an_experiment_runs_and_goes_on_where_it_was(source, tmp_path, monkeypatch, capsys):
    tiny = {"network_width": 2, "epochs": 1, "pretraining_epochs": 1, "iterations_per_epoch": 2, "batch_size": 2}
    arms = (Arm("plain", "conventional"), Arm("AIDE", "aide"))
    experiment = Experiment(
        "tiny", "Tiny", "Does it run?", "", "", (Scenario("SSL", semi_supervised(1, 2, 1)),), arms, "AIDE", changes=tiny
    )
    dataset_file = tmp_path / "source" / "dataset.json"
    monkeypatch.setitem(EXPERIMENTS, "tiny", experiment)
    command = ["tiny", "--output", str(tmp_path / "out"), "--data", str(dataset_file), "--seeds", "1"]
    wide = ["--device", "cpu", "--set", "network_width=3", "epochs=1"]
    assert main([*command, *wide, "--arms", "plain"]) == 0
    with FolderLock(tmp_path / "out" / LOCK):
        assert main([*command, *wide]) == 2
    run = RunFolder(tmp_path / "out" / "ssl" / "runs" / "aide-seed0")
    run.path.mkdir()
    with run.occupied():
        assert main([*command, *wide]) == 2
    assert "still trains in" in capsys.readouterr().err
    assert main([*command, *wide]) == 0
    # The first arm was not trained a second time.
    assert "SSL, plain, seed 0" not in capsys.readouterr().out
    # What was reached with other settings is not compared with it.
    for other in (command, [*command, "--report-only"]):
        assert main([*other, "--device", "cpu"]) == 2
        assert "was reached with network_width=3, and this experiment has network_width=2" in capsys.readouterr().err
    experiment = replace(experiment, changes={**tiny, "network_width": 3})
    outcomes = load_outcomes(experiment, tmp_path / "out")
    assert all(own.settings["network_width"] == 3 for own in outcomes)
    assert [own.arm for own in outcomes] == ["plain", "AIDE"]
    assert all(own.peak_memory_gb > 0.05 and 0 <= own.mean(Score.DSC) <= 1 for own in outcomes)
    assert len(outcomes[1].labels) == 2
    text = (tmp_path / "out" / "REPORT.md").read_text()
    assert "network_width=3" in text
    assert "| plain | 1 |" in text
    assert "| seed | DSC of the generated labels with the true ones | after the corrections |" in text
    assert (tmp_path / "out" / "ssl.png").exists()
    assert "(ssl-corrections.png)" in text
    assert (tmp_path / "out" / "ssl-corrections.png").exists()


def test_a_network_that_never_corrected_a_label_counts_with_the_given_one(source, tmp_path, tiny_settings):
    made = semi_supervised(1, 2, 1)(source, tmp_path, 0)
    run = RunFolder(tmp_path / "run")
    prepare_run(made.dataset, run, RunDescription("aide", tiny_settings.replace(epochs=1)))
    train(run, torch.device("cpu"))
    shutil.rmtree(run.corrected_folder, ignore_errors=True)
    (run.corrected_folder / "network2").mkdir(parents=True)
    first, second = read_training_labels(run, made)
    # Network 2 alone corrects the second case, to the label of the first one.
    shutil.copy(
        run.generated_folder / f"{first.case}.seg.nrrd", run.corrected_folder / "network2" / f"{second.case}.seg.nrrd"
    )
    first, second = read_training_labels(run, made)
    assert [np.array_equal(own, first.given) for own in first.current] == [True, True]
    assert [np.array_equal(own, second.given) for own in second.current] == [True, False]


def test_the_pictures_show_the_labels_that_gained_most_median_and_least(source, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(correction_pictures, "draw_corrections", lambda slices, path: drawn.extend(slices))
    given = np.zeros((3, 4, 4), np.uint8)
    given[1, 1, 1] = 1
    true = given.copy()
    true[2, :2, :3] = 1
    image = sitk.GetImageFromArray(np.arange(48.0).reshape(3, 4, 4))
    image.SetSpacing((1.0, 2.0, 5.0))
    labels = [TrainingLabels(name, 0.5, image, given, given, (true, given), true) for name in "abcde"]
    monkeypatch.setattr(correction_pictures, "read_training_labels", lambda run, training_set: iter(labels))
    # "b" was right from the start.
    outcomes = tuple(
        LabelOutcome(name, True, 0.5, None, before, after)
        for name, before, after in (
            ("a", 0.5, 0.6),
            ("b", 1.0, 1.0),
            ("c", 0.5, 0.4),
            ("d", 0.5, 0.9),
            ("e", 0.9, None),
        )
    )
    picture_corrections(RunFolder(tmp_path), TrainingSet(source, {}), outcomes, tmp_path / "p.png")
    assert [one.title for one in drawn] == ["d: DSC +0.400", "a: DSC +0.100", "c: DSC -0.100"]
    # The given label errs in the last slice.
    assert drawn[0].image.tolist() == np.arange(32.0, 48.0).reshape(4, 4).tolist()
    assert [int(own.sum()) for own in drawn[0].labels.values()] == [0, 6, 0, 6]
    assert drawn[0].aspect == 2.0
    drawn.clear()
    picture_corrections(RunFolder(tmp_path), TrainingSet(source, {}), outcomes[1:2], tmp_path / "p.png")
    assert not drawn
    flat = [TrainingLabels("a", 0.5, image[:, :, 2], given[2], given[2], (true[2], given[2]), true[2])]
    monkeypatch.setattr(correction_pictures, "read_training_labels", lambda run, training_set: iter(flat))
    picture_corrections(RunFolder(tmp_path), TrainingSet(source, {}), outcomes[:1], tmp_path / "p.png")
    assert drawn[0].image.tolist() == np.arange(32.0, 48.0).reshape(4, 4).tolist()
    assert [int(own.sum()) for own in drawn[0].labels.values()] == [0, 6, 0, 6]


def test_another_scanner_shows_a_2d_image_as_a_slice_of_a_volume():
    image = np.random.default_rng(0).normal(size=(8, 9))
    shift = DomainShift(gamma=1.5, blur=1.0)
    flat = shift.apply(image, np.random.default_rng(1))
    assert flat.shape == (8, 9)
    assert flat.tolist() == shift.apply(image[None], np.random.default_rng(1))[0].tolist()


def test_a_training_that_fails_tells_why(source, tmp_path):
    experiment = replace(EXPERIMENTS["hippocampus"], scenarios=(Scenario("S", semi_supervised(1, 2, 1)),))
    arms = [Arm("broken", "conventional", changes={"batch_size": 0})]
    with pytest.raises(RuntimeError, match="batch_size must be between"):
        run_experiment(experiment, source, tmp_path / "out", [0], arms, [], "cpu")
    assert not list((tmp_path / "out").rglob("seed*.json"))
