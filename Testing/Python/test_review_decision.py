import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import write_dataset
from test_training_run import CPU, events_named, run_training

from AIDELib.case import LabelQuality
from AIDELib.checkpoint import load_newest_checkpoint
from AIDELib.dataset import find_case
from AIDELib.dataset_file import load_dataset
from AIDELib.errors import DatasetError, RunError, SettingsError
from AIDELib.prediction_files import write_labels
from AIDELib.review import read_review
from AIDELib.review_decision import (
    Choice,
    ReviewDecision,
    read_decisions,
    save_decision,
    with_decisions,
    withdraw_decision,
)
from AIDELib.run_folder import RunDescription, RunFolder
from AIDELib.run_preparation import prepare_run
from AIDELib.standardization import Task
from AIDELib.trainer import train
from AIDELib.watched_folder import Request


def draw_label(run: RunFolder, case_id: str, rows: slice):
    """Write a label that no network would predict into the run's folder of reviewed labels."""
    case = find_case(load_dataset(run.dataset_file), case_id)
    image = sitk.ReadImage(str(case.images[0]))
    array = np.zeros(image.GetSize()[::-1], np.uint8)
    array[:, rows, 3:9] = 1
    labels = sitk.GetImageFromArray(array)
    labels.CopyInformation(image)
    path = run.reviewed_folder / f"{case_id}.seg.nrrd"
    write_labels(labels, load_dataset(run.dataset_file).structures, path)
    return path


def test_a_resumed_run_learns_from_the_decided_labels_and_never_rewrites_them(tmp_path, tiny_settings):
    settings = tiny_settings.replace(correction_share=1, correction_needs_consensus=False, correction_first_epoch=1)
    run = run_training(write_dataset(tmp_path, "HLU"), tmp_path / "run", settings)
    for case_id, choice in (("p1", Choice.EDIT), ("p2", Choice.ACCEPT)):
        save_decision(run, ReviewDecision(case_id, choice, draw_label(run, case_id, slice(2, 7))))
    run.extend(2)
    train(run, CPU)
    assert run.read_state()["status"] == "finished"
    assert [event["epoch"] for event in events_named(run, "epoch") if event["stage"] == "training"] == [1, 2, 3, 4, 5]
    assert not [event for event in events_named(run, "correction") if event["epoch"] > 3]
    labels = load_newest_checkpoint(run.checkpoint_folder).tensors["labels"]
    expected = torch.zeros(4, 22, 18, dtype=torch.uint8)
    expected[:, 2:7, 3:9] = 1
    for kind in ("given", "network1", "network2"):
        for case_index in (1, 2):
            slices = labels[kind][4 * case_index : 4 * case_index + 4, 5:27, 7:25]
            assert torch.equal(slices, expected), (kind, case_index)
    reviewed = {case.case: case for case in read_review(run)}
    assert [reviewed[case].quality for case in ("p1", "p2")] == [LabelQuality.HQA] * 2
    assert reviewed["p2"].given == "reviewed/p2.seg.nrrd"


def test_a_run_for_unlabelled_cases_goes_on_when_people_decided_on_all_of_them(tmp_path, tiny_settings):
    run = RunFolder(tmp_path / "run")
    description = RunDescription("aide", tiny_settings, Task.SSL)
    prepare_run(load_dataset(write_dataset(tmp_path, "HU")), run, description)
    train(run, CPU)
    save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
    run.extend(1)
    train(run, CPU)
    assert run.read_state()["status"] == "finished"
    assert events_named(run, "resume")[-1]["statement"] == "2 HQA: supervised learning; all labels count as good."
    assert [event["epoch"] for event in events_named(run, "epoch") if event["stage"] == "training"] == [1, 2, 3, 4]


def labels_of(run, case_index, kind):
    """Return a case's labels (4, 22, 18) in the newest checkpoint, without the padding."""
    labels = load_newest_checkpoint(run.checkpoint_folder).tensors["labels"][kind]
    return labels[4 * case_index : 4 * case_index + 4, 5:27, 7:25]


def test_a_withdrawn_decision_leaves_the_training(tmp_path, tiny_settings):
    never = tiny_settings.replace(correction_first_epoch=100)
    run = run_training(write_dataset(tmp_path, "HLU"), tmp_path / "run", never)
    kinds = ("given", "network1", "network2")
    before = {(index, kind): labels_of(run, index, kind) for index in (1, 2) for kind in kinds}
    for case_id in ("p1", "p2"):
        save_decision(run, ReviewDecision(case_id, Choice.EDIT, draw_label(run, case_id, slice(2, 7))))
    run.extend(1)
    train(run, CPU)
    assert not any(torch.equal(labels_of(run, *place), labels) for place, labels in before.items())
    for case_id in ("p1", "p2"):
        withdraw_decision(run, case_id)
    run.extend(1)
    train(run, CPU)
    assert all(torch.equal(labels_of(run, *place), labels) for place, labels in before.items())
    assert [case.quality for case in read_review(run) if case.case != "p0"].count(LabelQuality.HQA) == 0


def test_a_label_decided_on_before_there_was_a_generated_one_stays_when_the_decision_is_withdrawn(
    tmp_path, tiny_settings, caplog
):
    run = RunFolder(tmp_path / "run")
    prepare_run(load_dataset(write_dataset(tmp_path, "HUU")), run, RunDescription("aide", tiny_settings))
    save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
    train(run, CPU)
    decided = labels_of(run, 1, "given")
    withdraw_decision(run, "p1")
    run.extend(1)
    with caplog.at_level("WARNING", "AIDELib"):
        train(run, CPU)
    assert "Case 'p1': the decision about its label was withdrawn" in caplog.text
    assert decided.any()
    assert torch.equal(labels_of(run, 1, "given"), decided)


def test_a_decision_made_while_a_resumed_run_reads_images_counts_from_the_next_start_on(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HLU"), tmp_path / "run", tiny_settings)
    before = labels_of(run, 2, "given")
    label = draw_label(run, "p2", slice(2, 7))

    def decide(event):
        if event["event"] == "resume":
            save_decision(run, ReviewDecision("p2", Choice.EDIT, label))

    run.extend(1)
    train(run, CPU, decide)
    assert before.any()
    assert torch.equal(labels_of(run, 2, "given"), before)
    run.extend(1)
    train(run, CPU)
    assert int(labels_of(run, 2, "given").sum()) == 4 * 5 * 6


def test_a_decision_made_during_the_pretraining_of_the_baseline_lets_it_begin_anew(
    tmp_path, tiny_settings, monkeypatch
):
    monkeypatch.setattr("AIDELib.progress.SECONDS_BETWEEN_LOOKS", 0.0)
    settings = tiny_settings.replace(pretraining_epochs=3)
    run = RunFolder(tmp_path / "run")
    dataset = load_dataset(write_dataset(tmp_path, "HLU", test_cases=2))
    prepare_run(dataset, run, RunDescription("aide", settings, None, "conventional", True))

    def stop_in_pretraining(event):
        if event["event"] == "epoch" and event["stage"] == "baseline: pretraining" and event["epoch"] == 2:
            run.ask(Request.STOP)

    train(run, CPU, stop_in_pretraining)
    assert run.read_state()["status"] == "stopped"
    save_decision(run, ReviewDecision("p1", Choice.EDIT, draw_label(run, "p1", slice(2, 7))))
    epochs = []

    def note_epochs(event):
        if event["event"] == "epoch" and event["stage"] == "baseline: pretraining":
            epochs.append(event["epoch"])

    train(run, CPU, note_epochs)
    assert run.read_state()["status"] == "finished"
    assert epochs == [1, 2, 3]


def test_the_labels_to_compare_are_in_the_run_folder(tmp_path, tiny_settings):
    run = run_training(write_dataset(tmp_path, "HLU"), tmp_path / "run", tiny_settings)
    reviewed = {case.case: case for case in read_review(run)}
    assert reviewed["p2"].given == "generated/p2.seg.nrrd"
    assert (run.path / reviewed["p1"].given).resolve() == tmp_path / "p1_label.nii.gz"
    for case in ("p1", "p2"):
        assert (run.path / reviewed[case].suggestion).is_file()
    assert sitk.ReadImage(str(run.path / reviewed["p2"].given)).GetMetaData("Segment0_Name") == "ball"


def test_decisions_are_kept_replaced_and_withdrawn(tmp_path, tiny_settings):
    run = RunFolder(tmp_path / "run")
    first, second = run.reviewed_folder / "a.seg.nrrd", run.reviewed_folder / "b.seg.nrrd"
    run.reviewed_folder.mkdir(parents=True)
    first.touch()
    second.touch()
    save_decision(run, ReviewDecision("a", Choice.KEEP, first))
    save_decision(run, ReviewDecision("b", Choice.EDIT, second))
    save_decision(run, ReviewDecision("a", Choice.ACCEPT, second))
    assert read_decisions(RunFolder(tmp_path / "run")) == {
        "a": ReviewDecision("a", Choice.ACCEPT, second),
        "b": ReviewDecision("b", Choice.EDIT, second),
    }
    withdraw_decision(run, "a")
    assert list(read_decisions(run)) == ["b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "is damaged"),
        ('{"format": "aide-decisions/7"}', "has the format 'aide-decisions/7'"),
        (
            '{"format": "aide-decisions/1", "decisions": [{"case": "a", "choice": "keep", "label": "../../x.nrrd"}]}',
            "'../../x.nrrd' is no file name",
        ),
    ],
)
def test_damaged_decisions(tmp_path, text, expected):
    run = RunFolder(tmp_path)
    run.decisions_file.write_text(text)
    with pytest.raises(RunError) as caught:
        read_decisions(run)
    assert expected in str(caught.value)


def test_a_decision_that_cannot_be_used(tmp_path, tiny_settings):
    dataset = load_dataset(write_dataset(tmp_path, "HL"))
    run = RunFolder(tmp_path / "run")
    with pytest.raises(RunError, match="there is no label"):
        save_decision(run, ReviewDecision("p1", Choice.KEEP, run.reviewed_folder / "p1.seg.nrrd"))
    with pytest.raises(RunError, match="must lie in"):
        save_decision(run, ReviewDecision("p1", Choice.KEEP, tmp_path / "p1_label.nii.gz"))
    run.reviewed_folder.mkdir(parents=True)
    (run.reviewed_folder / "x.seg.nrrd").touch()
    save_decision(run, ReviewDecision("x", Choice.KEEP, run.reviewed_folder / "x.seg.nrrd"))
    with pytest.raises(DatasetError, match="no case 'x'"):
        with_decisions(dataset, read_decisions(run))


def test_further_epochs_are_a_positive_number(tmp_path, tiny_settings):
    with pytest.raises(SettingsError, match="1 or more, got 0"):
        RunFolder(tmp_path).extend(0)
