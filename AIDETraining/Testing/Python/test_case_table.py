"""The case table without a scene: edits keep their promises."""

import json
import tempfile
import unittest
from pathlib import Path

from AIDETrainingLib.case_names import channelEndings, matchingChannel, patientOfName, patientsOfNames
from AIDETrainingLib.case_row import CaseRow, Source
from AIDETrainingLib.case_table import CaseTable
from AIDETrainingLib.folder_collector import collectFromPath
from AIDETrainingLib.split_suggestion import suggestSplits
from AIDETrainingLib.stepwise import completeSteps
from AIDETrainingLib.table_structure import withFileStructures, withSegments

from AIDELib.case import LabelQuality, Split
from AIDELib.errors import DatasetError
from AIDELib.structure import Structure


def row(name, quality=LabelQuality.HQA, patient="", split=Split.TRAIN):
    label = None if quality is LabelQuality.UNLABELLED else Source(path=f"/{name}_label.nii.gz")
    return CaseRow(name, (Source(path=f"/{name}.nii.gz"),), label, quality, split, patient or name)


class CaseTableTest(unittest.TestCase):
    def setUp(self):
        self.table = CaseTable()

    def names(self):
        return [row.name for row in self.table.rows]

    def test_names_become_unique(self):
        self.table.addRows([row("a"), row("A"), row("a")])
        self.assertEqual(self.names(), ["a", "A 2", "a 3"])

    def test_a_removal_is_undone_in_place_and_in_turn(self):
        keys = self.table.addRows([row(name) for name in "abcde"])
        self.table.removeRows([keys[1], keys[3]])
        self.table.removeRows([keys[0]])
        self.assertEqual(self.names(), ["c", "e"])
        self.table.undoRemoval()
        self.assertEqual(self.names(), ["a", "c", "e"])
        self.table.undoRemoval()
        self.assertEqual(self.names(), list("abcde"))
        self.assertFalse(self.table.canUndoRemoval())
        self.assertEqual(self.table.undoRemoval(), [])

    def test_a_channel_added_after_a_removal_is_there_when_it_is_undone(self):
        keys = self.table.addRows([row("a"), row("b")])
        self.table.removeRows([keys[0]])
        self.table.addChannel("T2")
        self.table.undoRemoval()
        self.assertEqual(self.table.rows[0].images, (Source(path="/a.nii.gz"), None))

    def test_a_patient_never_stands_in_two_splits(self):
        keys = self.table.addRows([row("a1", patient="a"), row("a2", patient="a"), row("b")])
        self.table.updateRows([keys[0]], split=Split.TEST)
        self.assertEqual([one.split for one in self.table.rows], [Split.TEST, Split.TEST, Split.TRAIN])
        self.table.updateRows([keys[2]], patient="a")
        self.assertEqual(self.table.row(keys[2]).split, Split.TEST)
        added = self.table.addRows([row("a3", patient="a")])
        self.assertEqual(self.table.row(added[0]).split, Split.TEST)

    def test_a_case_without_a_label_stays_unlabelled(self):
        keys = self.table.addRows([row("a", LabelQuality.UNLABELLED), row("b", LabelQuality.LQA)])
        self.table.updateRows(keys, quality=LabelQuality.HQA)
        self.assertEqual(self.table.row(keys[0]).quality, LabelQuality.UNLABELLED)
        self.assertEqual(self.table.row(keys[1]).quality, LabelQuality.HQA)
        self.table.updateRows([keys[0]], label=Source(path="/l.nii.gz"))
        self.assertEqual(self.table.row(keys[0]).quality, LabelQuality.HQA)
        self.table.updateRows([keys[0]], label=None)
        self.assertEqual(self.table.row(keys[0]).quality, LabelQuality.UNLABELLED)

    def test_channels(self):
        key = self.table.addRows([row("a")])[0]
        self.table.addChannel("T2")
        self.table.setImage(key, 1, Source(path="/t2.nii.gz"))
        self.table.renameChannel(0, "T1")
        self.assertEqual(self.table.channels, ["T1", "T2"])
        with self.assertRaisesRegex(DatasetError, "already a channel 't1'"):
            self.table.renameChannel(1, "t1")
        self.table.removeChannel(0)
        self.assertEqual(self.table.row(key).images, (Source(path="/t2.nii.gz"),))
        with self.assertRaisesRegex(DatasetError, "at least one channel"):
            self.table.removeChannel(0)

    def test_faulty_names_are_refused_and_change_nothing(self):
        keys = self.table.addRows([row("a"), row("b")])
        for name, message in (("", "empty"), ("B", "already a case 'B'")):
            with self.assertRaisesRegex(DatasetError, message):
                self.table.updateRows([keys[0]], name=name)
        self.assertEqual(self.names(), ["a", "b"])

    def test_observers_hear_once_of_each_edit(self):
        heard = []
        self.table.observe(lambda: heard.append(len(self.table.rows)))
        keys = self.table.addRows([row("a"), row("b")])
        self.table.updateRows(keys, split=Split.VAL)
        self.table.removeRows(keys[:1])
        self.assertEqual(heard, [2, 2, 1])


class SplitSuggestionTest(unittest.TestCase):
    def test_a_fifth_of_the_well_labelled_patients_is_for_testing(self):
        rows = [row(f"h{index}") for index in range(10)]
        rows += [row("l", LabelQuality.LQA), row("u", LabelQuality.UNLABELLED)]
        splits = suggestSplits(rows)
        counts = [list(splits.values()).count(split) for split in (Split.TRAIN, Split.VAL, Split.TEST)]
        self.assertEqual(counts, [9, 1, 2])
        self.assertEqual({splits["l"], splits["u"]}, {Split.TRAIN})
        self.assertEqual(splits, suggestSplits(rows))

    def test_few_patients_are_all_for_training(self):
        self.assertEqual(set(suggestSplits([row("a"), row("b")]).values()), {Split.TRAIN})

    def test_a_patient_with_a_rough_label_is_for_training(self):
        rows = [row(f"h{index}") for index in range(3)] + [row("h0 again", LabelQuality.LQA, "h0")]
        self.assertEqual(suggestSplits(rows)["h0"], Split.TRAIN)


class FolderTest(unittest.TestCase):
    def test_labelled_cases_that_a_layout_sets_aside_are_for_testing(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("imagesTr/a_0000", "labelsTr/a", "imagesTs/b_0000", "labelsTs/b", "imagesTs/c_0000"):
                path = folder / f"{part}.nii.gz"
                path.parent.mkdir(exist_ok=True)
                path.touch()
            description = {"channel_names": {"0": "T2"}, "labels": {"background": 0, "liver": 1}}
            (folder / "dataset.json").write_text(json.dumps(description))
            table = CaseTable()
            completeSteps(collectFromPath(table, folder))
        self.assertEqual(
            [(row.name, row.quality, row.split) for row in table.rows],
            [
                ("a", LabelQuality.HQA, Split.TRAIN),
                ("b", LabelQuality.HQA, Split.TEST),
                ("c", LabelQuality.UNLABELLED, Split.TRAIN),
            ],
        )


class NamesTest(unittest.TestCase):
    def test_patients(self):
        expected = {
            "patient001_frame01": "patient001",
            "patient001_ED": "patient001",
            "case 3 T1w": "case 3",
            "hippocampus_017": "hippocampus_017",
            "Smith visit 2 FLAIR": "Smith",
        }
        self.assertEqual({name: patientOfName(name) for name in expected}, expected)

    def test_names_that_differ_only_in_the_examination_are_taken_for_patients(self):
        self.assertEqual(
            patientsOfNames(["MR scan 1", "MR scan 2", "MR scan 3"]), ["MR scan 1", "MR scan 2", "MR scan 3"]
        )

    def test_channels_shown_by_names(self):
        self.assertEqual(channelEndings(["p1_T1", "p1_T2", "p2_T1", "p2_T2"]), ["T1", "T2"])
        self.assertEqual(channelEndings(["a_0000", "a_0001", "b_0000", "b_0001"]), ["0000", "0001"])
        self.assertEqual(channelEndings(["case_1", "case_2", "scan_1", "scan_2"]), [])
        self.assertEqual(channelEndings(["liver", "kidney"]), [])

    def test_the_longest_channel_in_a_name(self):
        self.assertEqual(matchingChannel("p1 in-phase", ["phase", "in phase"]), 1)
        self.assertEqual(matchingChannel("p1_T1ce", ["T1", "T1ce"]), 1)
        self.assertIsNone(matchingChannel("p1_T1ce", ["T1", "T2"]))


class StructuresTest(unittest.TestCase):
    def test_segments_get_free_values(self):
        known = withSegments([], [Structure("liver", (1,), (1, 2, 3), "a~b"), Structure("spleen", (2,), (4, 5, 6))])
        merged = withSegments(known, [Structure("Liver", (1,), (9, 9, 9)), Structure("cyst", (2,), (7, 8, 9))])
        self.assertEqual(
            [(one.name, one.values) for one in merged], [("liver", (1,)), ("spleen", (2,)), ("cyst", (3,))]
        )
        self.assertEqual(merged[0].terminology, "a~b")

    def test_values_of_files_win_over_those_of_the_scene(self):
        known = withSegments([], [Structure("spleen", (1,), (1, 2, 3))])
        merged = withFileStructures(
            known, [Structure("liver", (1,), (4, 5, 6)), Structure("cyst", (9,), (7, 8, 9))], False
        )
        self.assertEqual(
            [(one.name, one.values) for one in merged], [("spleen", (10,)), ("liver", (1,)), ("cyst", (9,))]
        )

    def test_files_that_contradict_each_other_are_refused(self):
        known = withFileStructures([], [Structure("spleen", (1,), (1, 2, 3))], False)
        with self.assertRaisesRegex(DatasetError, "label value 1 means"):
            withFileStructures(known, [Structure("liver", (1,), (4, 5, 6))], True)


if __name__ == "__main__":
    unittest.main()
