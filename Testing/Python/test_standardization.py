import re
from pathlib import Path

import pytest

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.commands import main
from AIDELib.errors import DatasetError
from AIDELib.presets import QUICK
from AIDELib.pretraining import pretraining_method
from AIDELib.standardization import Task, standardize

KINDS = {"H": LabelQuality.HQA, "L": LabelQuality.LQA, "U": LabelQuality.UNLABELLED}


def cases(*kinds_and_domains):
    made = []
    for index, text in enumerate(kinds_and_domains):
        quality = KINDS[text[0]]
        label = None if quality is LabelQuality.UNLABELLED else Path("l.nii.gz")
        made.append(Case(f"c{index}", (Path("i.nii.gz"),), label, quality, Split.TRAIN, domain=text[1:]))
    return made


@pytest.mark.parametrize(
    ("given", "task", "labels_first"),
    [
        (["H", "H"], Task.SUPERVISED, False),
        (["H", "L"], Task.NLL, False),
        (["L", "L"], Task.NLL, False),
        (["H", "U"], Task.SSL, True),
        (["L", "U"], Task.SSL, True),
        (["HA", "UB"], Task.UDA, True),
        (["HA", "HB", "UB"], Task.SSL, True),
        (["HA", "UA", "UB"], Task.SSL, True),
    ],
)
def test_the_task_follows_from_the_labels(given, task, labels_first):
    standardization = standardize(cases(*given))
    assert standardization.task is task
    assert standardization.labels_unlabelled_cases is labels_first


def test_the_statement_is_one_sentence_with_numbers():
    assert standardize(cases("H", "H", "U")).statement == (
        "2 HQA, 1 unlabelled: semi-supervised learning; the 1 unlabelled are labelled first by a model trained on the 2 HQA."
    )
    assert standardize(cases("Hold", "Unew", "Unew")).statement == (
        "1 HQA, 2 unlabelled: unsupervised domain adaptation; the 2 of domain new are labelled first by a model trained on "
        "the 1 HQA of domain old."
    )


@pytest.mark.parametrize("task", [Task.SSL, Task.UDA, Task.NLL])
def test_the_users_own_choice_names_the_task_and_changes_nothing_else(task):
    own, chosen = standardize(cases("HA", "UB")), standardize(cases("HA", "UB"), task)
    assert chosen.task is task
    assert f": {task.value};" in chosen.statement
    assert chosen.labels_unlabelled_cases is own.labels_unlabelled_cases is True


def test_the_help_says_that_the_task_is_a_name_alone(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert "how the training goes follows from the labels alone" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_a_task_that_asks_for_unlabelled_cases():
    with pytest.raises(DatasetError, match="Unsupervised domain adaptation needs unlabelled training cases"):
        standardize(cases("H"), Task.UDA)


def test_without_a_label_there_is_nothing_to_learn_from():
    with pytest.raises(DatasetError, match="No training case has a label"):
        standardize(cases("U", "U"))


def test_the_first_labels_come_from_the_good_ones_where_there_are_any():
    mixed, rough = cases("H", "L", "U"), cases("L", "U")
    assert [pretraining_method(mixed, QUICK, 1).learns_from(case) for case in mixed] == [True, False, False]
    assert [pretraining_method(rough, QUICK, 1).learns_from(case) for case in rough] == [True, False]
