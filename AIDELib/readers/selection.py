"""Which of the found cases count as labelled, of which quality, and what each is used for."""

from __future__ import annotations

import fnmatch
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from AIDELib.case import Case, LabelQuality, Split
from AIDELib.dataset import Dataset
from AIDELib.errors import DatasetError
from AIDELib.readers.found_cases import FoundCase, FoundCases
from AIDELib.segmentation_file import is_unchecked
from AIDELib.structure import Structure

_DOMAIN_MARK = "domain:"
_ID_MARK = "id:"


@dataclass(frozen=True)
class Selection:
    """The user's choices.

    A choice of cases is a number (so many patients, in order or at random), a percentage of the patients, or a list,
    separated by commas, of ids or patients (* and ? allowed), of `domain:NAME`, or of `@FILE` with one id a line. `id:37` is
    the case or patient 37 wherever 37 could also be the number of patients.

    Attributes:
        test: choice of the test cases; empty for those that the layout sets aside.
        val: choice of the validation cases, from the rest.
        hqa: choice of the training cases with labels of high quality. Unless `hqa` or `lqa` is given: all labelled ones, but
            for segmentations that nobody vouches for (see `is_unchecked`), which are of low quality.
        lqa: choice of those with labels of low quality, from the rest; what is left is unlabelled.
        unlabelled: choice of the training cases used without a label, from what is left; all of them by default.
        rater: whose labels are used, counted from 1; cases that others alone labelled count as unlabelled.
        seed: draws at random instead of in order; None for in order.
        patient_pattern: regular expression whose match (or first group) in the id names the patient.
        domain: domain of the cases where the layout does not tell.
        structures: instead of those of the layout; empty for these.
        channels: names instead of those of the layout; empty for these.
    """

    test: str = ""
    val: str = ""
    hqa: str = ""
    lqa: str = ""
    unlabelled: str = ""
    rater: int = 1
    seed: int | None = None
    patient_pattern: str = ""
    domain: str = ""
    structures: tuple[Structure, ...] = ()
    channels: tuple[str, ...] = ()


def select_cases(found: FoundCases, selection: Selection) -> Dataset:
    """Return the dataset that the user wants of the found cases.

    Raises:
        DatasetError: a choice is faulty, matches nothing, or leaves no training case.
        VolumeError: a segmentation cannot be read.
    """
    channels = selection.channels or found.channels
    if len(channels) != len(found.channels):
        raise DatasetError(f"The cases have {len(found.channels)} channel(s), but {len(channels)} names are given.")
    structures = selection.structures or found.structures
    if not structures:
        raise DatasetError("The layout names no structures; name them with --structure NAME=VALUE.")
    patients = {case.id: _patient(case, selection.patient_pattern) for case in found.cases}
    chooser = _Chooser(found.cases, patients, selection)
    _require_rater(found, selection.rater)
    labelled = [case for case in found.cases if selection.rater in case.label_by_rater]
    if selection.test:
        test = chooser.choose(selection.test, labelled, "test", whole_patients=True)
    else:
        test = _set_aside(labelled, patients)
    val = chooser.choose(selection.val, [case for case in labelled if case.id not in test], "val", whole_patients=True)
    held_out_patients = {patients[case_id] for case_id in test | val}
    training = [case for case in labelled if patients[case.id] not in held_out_patients]
    if selection.hqa or selection.lqa:
        hqa = chooser.choose(selection.hqa, training, "hqa", whole_patients=False)
        rest = [case for case in training if case.id not in hqa]
        lqa = chooser.choose(selection.lqa, rest, "lqa", whole_patients=False)
    else:
        lqa = {case.id for case in training if is_unchecked(case.label_by_rater[selection.rater])}
        hqa = {case.id for case in training} - lqa
    held_out = test | val
    rest = [
        case
        for case in found.cases
        # A patient's unlabelled image must not train a model that is tested on the patient's labelled one.
        if case.id not in hqa | lqa and patients[case.id] not in held_out_patients
    ]
    unlabelled = {case.id for case in rest}
    if selection.unlabelled:
        unlabelled = chooser.choose(selection.unlabelled, rest, "unlabelled", whole_patients=False)

    def quality(case: FoundCase) -> LabelQuality:
        if case.id in hqa | held_out:
            return LabelQuality.HQA
        return LabelQuality.LQA if case.id in lqa else LabelQuality.UNLABELLED

    def split(case: FoundCase) -> Split:
        return Split.TEST if case.id in test else Split.VAL if case.id in val else Split.TRAIN

    cases = [
        _create_case(case, quality(case), split(case), patients[case.id], selection)
        for case in found.cases
        if case.id in held_out | hqa | lqa | unlabelled
    ]
    return Dataset(channels, structures, tuple(cases))


def labelled_by_others(found: FoundCases, rater: int) -> list[str]:
    """Return the ids of the cases that have labels, but none of this rater."""
    return [case.id for case in found.cases if case.labels and rater not in case.label_by_rater]


def _require_rater(found: FoundCases, rater: int) -> None:
    raters = {rater for case in found.cases for rater in case.label_by_rater}
    if raters and rater not in raters:
        names = ", ".join(map(str, sorted(raters)))
        raise DatasetError(f"There is no rater {rater} (--rater); the labels were drawn by rater {names}.")


def _set_aside(labelled: Sequence[FoundCase], patients: dict[str, str]) -> set[str]:
    """Return the ids of all labelled cases of the patients that the layout tests with."""
    chosen = {patients[case.id] for case in labelled if case.is_for_testing}
    return {case.id for case in labelled if patients[case.id] in chosen}


def _create_case(case: FoundCase, quality: LabelQuality, split: Split, patient: str, selection: Selection) -> Case:
    label = None if quality is LabelQuality.UNLABELLED else case.label_by_rater[selection.rater]
    raters = case.labels if len(case.labels) > 1 and quality is not LabelQuality.UNLABELLED else ()
    return Case(case.id, case.images, label, quality, split, patient, case.domain or selection.domain, raters)


def _patient(case: FoundCase, pattern: str) -> str:
    if not pattern:
        return case.id
    try:
        match = re.search(pattern, case.id)
    except re.error as error:
        raise DatasetError(f"The patient pattern '{pattern}' is no regular expression: {error}.") from None
    if match is None:
        raise DatasetError(f"Case '{case.id}' does not match the patient pattern '{pattern}'.")
    return match[1] if match.groups() else match[0]


class _Chooser:
    def __init__(self, cases: Sequence[FoundCase], patients: dict[str, str], selection: Selection) -> None:
        self._patients = patients
        order = list(dict.fromkeys(patients[case.id] for case in cases))
        if selection.seed is not None:
            random.Random(selection.seed).shuffle(order)
        self._rank = {patient: position for position, patient in enumerate(order)}
        self._domain = selection.domain

    def choose(self, choice: str, cases: Sequence[FoundCase], name: str, whole_patients: bool) -> set[str]:
        """Return the ids of the chosen cases."""
        if not choice:
            return set()
        available = sorted({self._patients[case.id] for case in cases}, key=self._rank.__getitem__)
        match = re.fullmatch(r"(\d+)(%?)", choice.strip())
        count = 0 if match is None else round(int(match[1]) / 100 * len(available)) if match[2] else int(match[1])
        # More than there are can be no number of patients, so that it is the name of one (CHAOS names cases 1 to 39).
        if match and (count <= len(available) or match[1] not in self._patients | self._rank):
            if count > len(available):
                raise DatasetError(
                    f"--{name} asks for {count} patients, but only {len(available)} are left to choose from."
                )
            chosen = set(available[:count])
            return {case.id for case in cases if self._patients[case.id] in chosen}
        ids = {case.id for term in _terms(choice) for case in self._matching(term, cases, name)}
        if not whole_patients:
            return ids
        chosen = {self._patients[case_id] for case_id in ids}
        return {case.id for case in cases if self._patients[case.id] in chosen}

    def _matching(self, term: str, cases: Sequence[FoundCase], name: str) -> list[FoundCase]:
        if term.startswith(_DOMAIN_MARK):
            domain = term.removeprefix(_DOMAIN_MARK)
            found = [case for case in cases if (case.domain or self._domain) == domain]
        else:
            term = term.removeprefix(_ID_MARK)
            # Names may hold brackets, which stand for themselves.
            pattern = term.replace("[", "[[]")
            found = [
                case
                for case in cases
                if fnmatch.fnmatchcase(case.id, pattern) or fnmatch.fnmatchcase(self._patients[case.id], pattern)
            ]
        if not found:
            raise DatasetError(f"--{name}: '{term}' matches no case that is left to choose from.")
        return found


def _terms(choice: str) -> list[str]:
    terms = []
    for term in (part.strip() for part in choice.split(",")):
        if term.startswith("@"):
            try:
                lines = Path(term[1:]).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                raise DatasetError(f"The list of cases {term[1:]} cannot be read.") from None
            terms += [line.strip() for line in lines if line.strip()]
        elif term:
            terms.append(term)
    return terms
