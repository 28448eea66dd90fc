from types import SimpleNamespace

import pytest
import torch
from case_files import write_dataset
from test_training_run import CPU, run_training

from AIDELib.case import LabelQuality
from AIDELib.checkpoint import load_newest_checkpoint, save_checkpoint
from AIDELib.errors import RunError
from AIDELib.json_document import LARGEST_DOCUMENT_BYTES
from AIDELib.review import ReviewedCase, read_review, review_document
from AIDELib.run_folder import RunFolder
from AIDELib.sealed_document import read_sealed, write_sealed
from AIDELib.trainer import train


def test_twenty_thousand_cases_over_a_hundred_epochs(tmp_path):
    slices = SimpleNamespace(cases=range(20_000))
    stage = SimpleNamespace(index=1, epoch=100, learners=[], label_sets=[], opinion=None, slices=slices)
    trends = [[round(0.5 + epoch / 1e6, 6) for epoch in range(100)]] * 20_000
    given = torch.zeros(20_000, 1, 1, dtype=torch.uint8)
    save_checkpoint(tmp_path, stage, given, {"best": {"best_score": 0.5, "best_epoch": 3}, "trends": trends})
    checkpoint = load_newest_checkpoint(tmp_path)
    assert checkpoint.document["selection"]["trends"] == trends
    assert checkpoint.document["selection"]["best"]["best_epoch"] == 3


def test_the_review_of_twenty_thousand_cases_can_be_read(tmp_path):
    trend, epochs = tuple(index / 100 for index in range(100)), tuple(range(1, 101))
    cases = [
        ReviewedCase(
            f"patient_{index:05d}_scan_1", LabelQuality.LQA, 0.01, trend, (epochs, epochs),
            f"suggested/patient_{index:05d}_scan_1.seg.nrrd", f"../../../images/patient_{index:05d}_scan_1.nii.gz",
        )
        for index in range(20_000)
    ]  # fmt: skip
    run = RunFolder(tmp_path)
    write_sealed(run.review_file, review_document(cases))
    assert run.review_file.stat().st_size < 0.8 * LARGEST_DOCUMENT_BYTES
    first = read_review(run)[0]
    assert (first.case, first.suspicion, len(first.trend)) == ("patient_00000_scan_1", 0.01, 15)
    assert (first.trend[0], first.trend[-1]) == (0.0, 0.99)
    assert first.corrected_at == (tuple(range(86, 101)),) * 2


def test_a_review_of_few_cases_has_every_epoch(tmp_path):
    case = ReviewedCase("a", LabelQuality.LQA, 0.5, (0.25, 0.5), ((2,), ()), None, "a.nrrd")
    document = review_document([case])
    assert document["cases"][0]["trend"] == (0.25, 0.5)
    write_sealed(tmp_path / "review.json", document)
    assert read_sealed(tmp_path / "review.json")["cases"][0]["corrected_at"] == [[2], []]
    assert (tmp_path / "review.json").read_text().splitlines()[:4] == [
        "{",
        ' "format": "aide-review/1",',
        ' "cases": [',
        '  {"case": "a", "quality": "LQA", "suspicion": 0.5, "trend": [0.25, 0.5], "corrected_at": [[2], []], '
        '"suggestion": null, "given": "a.nrrd"}',
    ]


@pytest.fixture
def run(tmp_path, tiny_settings):
    settings = tiny_settings.replace(correction_share=1, correction_needs_consensus=False, correction_first_epoch=1)
    return run_training(write_dataset(tmp_path, "HL"), tmp_path / "run", settings)


def test_a_checkpoint_brings_back_corrections_and_trends(run):
    document = load_newest_checkpoint(run.checkpoint_folder).document
    review = {case.case: case for case in read_review(run)}
    for index, name in enumerate(("p0", "p1")):
        corrected_at = tuple(tuple(own[index]) for own in document["corrected_at"])
        assert corrected_at == review[name].corrected_at
        assert tuple(document["selection"]["trends"][index]) == review[name].trend
    assert review["p1"].corrected_at[0]


def test_too_little_memory_is_no_damage(run, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("AIDELib.container.available_memory", lambda: 100)
        with pytest.raises(RunError, match=r"can be read now .*needs .* of memory.* close other programs.* and resume"):
            train(run, CPU)
    train(run, CPU)
    assert run.read_state()["status"] == "finished"
