import json

import pytest
from case_files import write_dataset
from test_review_decision import draw_label
from test_training_run import CPU, events_named

from AIDELib.checkpoint import load_newest_checkpoint
from AIDELib.commands import main
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError, SettingsError
from AIDELib.report import read_report
from AIDELib.review_decision import Choice, ReviewDecision, save_decision
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.trainer import train
from AIDELib.watched_folder import Request


@pytest.fixture
def compared(tmp_path, tiny_settings):
    """A prepared run that is evaluated on two test cases and compared with a baseline."""
    run = RunFolder(tmp_path / "run")
    description = RunDescription("aide", tiny_settings, None, "conventional", True)
    prepare_run(load_dataset(write_dataset(tmp_path, "HLU", test_cases=2)), run, description)
    return run


def test_a_run_is_measured_and_compared_with_its_baseline(compared):
    train(compared, CPU)
    assert compared.read_state()["status"] == "finished"
    assert {row.case for row in read_report(compared.report_folder)} == {"p3", "p4"}
    document = json.loads(compared.comparison_file.read_text())
    assert (document["first"], document["second"]) == ("aide", "conventional")
    dsc = document["rows"][0]
    own, other = (
        [row.metrics.dsc for row in read_report(folder)]
        for folder in (compared.report_folder, compared.baseline_folder / "report")
    )
    assert (dsc["structure"], dsc["metric"], dsc["cases"]) == ("ball", "DSC", 2)
    assert dsc["difference"] == pytest.approx(sum(own) / 2 - sum(other) / 2, abs=1e-5)
    stages = [event["stage"] for event in events_named(compared, "epoch")]
    own_stages = ["pretraining"] * 2 + ["training"] * 3
    # One network for twice as many epochs as the two of AIDE.
    of_baseline = ["pretraining"] * 2 + ["training"] * 8
    assert stages == own_stages + [f"baseline: {stage}" for stage in of_baseline]
    assert [event["event"] for event in compared.events()][-2:] == ["compared", "finished"]


def test_a_run_stopped_in_its_baseline_goes_on_there(compared, monkeypatch):
    monkeypatch.setattr("AIDELib.progress.SECONDS_BETWEEN_LOOKS", 0.0)

    def stop_in_baseline(event):
        if event["event"] == "epoch" and event["stage"] == "baseline: training":
            compared.ask(Request.STOP)

    train(compared, CPU, stop_in_baseline)
    assert compared.read_state()["status"] == "stopped"
    assert RunFolder(compared.baseline_folder).read_state()["status"] == "stopped"
    assert not compared.comparison_file.exists()
    train(compared, CPU)
    assert compared.read_state()["status"] == "finished"
    assert compared.comparison_file.exists()
    epochs = [event["epoch"] for event in events_named(compared, "epoch") if event["stage"] == "baseline: training"]
    assert epochs == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(("baseline", "learned"), [("conventional", 4 * 5 * 6), ("supervised", None)])
def test_the_baseline_of_a_continued_run_is_continued_with_the_labels_that_people_decided_on(
    tmp_path, tiny_settings, baseline, learned
):
    run = RunFolder(tmp_path / "run")
    description = RunDescription("aide", tiny_settings, None, baseline, True)
    prepare_run(load_dataset(write_dataset(tmp_path, "HL", test_cases=2)), run, description)
    train(run, CPU)
    save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
    run.extend(2)
    train(run, CPU)
    folder = RunFolder(run.baseline_folder)
    assert (run.read_state()["status"], folder.read_state()["status"]) == ("finished", "finished")
    for own, count in ((run, 7), (folder, 14)):
        epochs = [event["epoch"] for event in events_named(own, "epoch") if event["stage"] == "training"]
        # The two epochs of a pretraining, for which there is nothing to label, the three planned, and two more; of the
        # baseline's one network twice as many.
        assert epochs == list(range(1, count + 1))
    assert len(events_named(run, "compared")) == 2
    given = load_newest_checkpoint(folder.checkpoint_folder).tensors["labels"]["given"]
    # A supervised training does not learn from the case that was of low quality when it began.
    assert len(given) == (4 if learned is None else 8)
    assert learned is None or int(given[4:].sum()) == learned


def test_no_test_case_nothing_to_evaluate(tmp_path, tiny_settings):
    dataset = load_dataset(write_dataset(tmp_path, "HL", test_cases=0))
    with pytest.raises(DatasetError, match="no labelled test case"):
        prepare_run(dataset, RunFolder(tmp_path / "run"), RunDescription("aide", tiny_settings, evaluate=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("method", "baseline", "epochs", "halved_from"),
    [
        ("aide", "conventional", 2 * (2 + 3) - 2, 0),
        ("aide", "supervised", 2 * (2 + 3) - 2, 20),
        ("aide", "co-teaching", 3, 20),
        ("conventional", "supervised", 3, 20),
        ("supervised", "aide", 3, 20),
    ],
)
def test_the_baseline_computes_as_much(tiny_settings, method, baseline, epochs, halved_from):
    own = RunDescription(method, tiny_settings.replace(input_halved_from=20), None, baseline)
    settings = own.of_baseline(own.baseline).settings
    assert (settings.epochs, settings.input_halved_from) == (epochs, halved_from)
    without_pretraining = RunDescription("aide", tiny_settings.replace(pretrained_start=False), None, "supervised")
    assert without_pretraining.of_baseline(without_pretraining.baseline).settings.epochs == 6


def test_a_method_is_not_its_own_baseline(tiny_settings):
    with pytest.raises(SettingsError, match="the method itself"):
        RunDescription("aide", tiny_settings, baseline="aide")


def test_the_baseline_needs_cases_too(tmp_path, tiny_settings):
    dataset = load_dataset(write_dataset(tmp_path, "LL"))
    with pytest.raises(DatasetError, match="'supervised' learns from HQA cases only"):
        prepare_run(dataset, RunFolder(tmp_path / "run"), RunDescription("aide", tiny_settings, baseline="supervised"))


def test_the_command_evaluates_compares_and_goes_on_for_more_epochs(tmp_path, capsys):
    dataset, run = write_dataset(tmp_path, "HL", test_cases=2), tmp_path / "run"
    tiny = ["--set", "network_width=2", "--set", "iterations_per_epoch=2", "--epochs", "1", "--preset", "quick"]
    assert main(["train", str(dataset), "--run", str(run), *tiny, "--evaluate", "--baseline", "supervised"]) == 0
    capsys.readouterr()
    assert main(["compare", str(run / "report"), str(run / "baseline" / "report"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["cases"] == 2
    assert main(["train", "--run", str(run), "--resume", "--more-epochs", "1"]) == 0
    assert RunFolder(run).read_description().settings.epochs == 2
    for given, named in (
        (["--epochs", "99"], "--epochs cannot be changed"),
        ([str(dataset), "--seed", "0", "--evaluate"], "dataset, --evaluate, --seed cannot be changed"),
        (["--preset", "paper", "--set", "learning_rate=0.5"], "--preset, --set cannot be changed"),
    ):
        assert main(["train", "--run", str(run), "--resume", *given]) == 2
        assert named in capsys.readouterr().err
    assert main(["train", str(dataset), "--run", str(tmp_path / "new"), "--more-epochs", "1"]) == 2
    assert "--more-epochs goes with --resume" in capsys.readouterr().err
