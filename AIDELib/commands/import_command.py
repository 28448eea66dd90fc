"""`import`: a folder in a public layout to a dataset.json."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from AIDELib.case import LabelQuality, Split
from AIDELib.dataset_file import require_own_document, save_dataset
from AIDELib.errors import DatasetError
from AIDELib.readers import LAYOUTS
from AIDELib.readers.selection import Selection, labelled_by_others, select_cases
from AIDELib.structure import DEFAULT_COLORS, Structure

_STRUCTURE = re.compile(r"(?P<name>[^=]+)=(?P<values>\d+(,\d+)*)(:(?P<color>\d+,\d+,\d+))?")


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    layouts = "\n".join(f"  {name:15} {layout.help}" for name, layout in LAYOUTS.items())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "import",
        help="write a dataset.json from a folder of images and labels",
        description=f"Write a dataset.json from a folder in one of these layouts:\n{layouts}\n\n"
        "Images without a label become unlabelled training cases. CASES is a number of patients (20), a share (20%), or a "
        "list of ids or patients separated by commas (* and ? allowed), domain:NAME, or @FILE with one id a line; "
        "id:7 is the case or patient named 7.",
        epilog="Examples:\n"
        "  python -m AIDELib import folder hippocampus --hqa 2 --unlabelled 40 --test 40 --output dataset.json\n"
        "  python -m AIDELib import chaos CHAOS/Train_Sets/MR --structure liver=63 --hqa 37 --test 20%% "
        "--output dataset.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("layout", choices=LAYOUTS, metavar="LAYOUT", help="one of the layouts above")
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the folder")
    parser.add_argument("--output", type=Path, required=True, help="the dataset.json to write")
    parser.add_argument(
        "--test",
        default="",
        metavar="CASES",
        help="cases to test with (default: the labelled ones that the layout sets aside; 0: none)",
    )
    parser.add_argument("--val", default="", metavar="CASES", help="cases to choose the best model with")
    parser.add_argument(
        "--hqa",
        default="",
        metavar="CASES",
        help="training cases with good labels (default: all labelled ones; .seg.nrrd files that a model drew or somebody "
        "flagged count as rough until they are completed in Slicer)",
    )
    parser.add_argument(
        "--lqa", default="", metavar="CASES", help="training cases with rough labels; the rest is used unlabelled"
    )
    parser.add_argument(
        "--unlabelled", default="", metavar="CASES", help="training cases used without a label (default: all others)"
    )
    parser.add_argument(
        "--rater",
        type=int,
        default=1,
        help="whose labels are used where several people drew them (default: 1); cases that this person did not label count "
        "as unlabelled",
    )
    parser.add_argument("--seed", type=int, help="draw the numbers of patients at random instead of in order")
    parser.add_argument(
        "--patient-pattern",
        default="",
        metavar="REGEX",
        help="what names the patient in a case's id, e.g. 'patient[0-9]+'",
    )
    parser.add_argument("--domain", default="", help="scanner or hospital of the cases")
    parser.add_argument(
        "--structure",
        action="append",
        default=[],
        metavar="NAME=VALUE[,VALUE][:R,G,B]",
        help="a structure and its label values; may be repeated; replaces those of the layout",
    )
    parser.add_argument(
        "--channel", action="append", default=[], metavar="NAME", help="name of a channel; may be repeated"
    )
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    selection = Selection(
        test=arguments.test,
        val=arguments.val,
        hqa=arguments.hqa,
        lqa=arguments.lqa,
        unlabelled=arguments.unlabelled,
        rater=arguments.rater,
        seed=arguments.seed,
        patient_pattern=arguments.patient_pattern,
        domain=arguments.domain,
        structures=tuple(_parse_structure(text, index) for index, text in enumerate(arguments.structure)),
        channels=tuple(arguments.channel),
    )
    require_own_document(arguments.output)
    found = LAYOUTS[arguments.layout].read(arguments.source)
    dataset = select_cases(found, selection)
    try:
        save_dataset(dataset, arguments.output)
    except OSError as error:
        raise DatasetError(f"{arguments.output} cannot be written: {error.strerror}.") from None
    others = labelled_by_others(found, selection.rater)
    if others:
        print(
            f"Note: {len(others)} case(s) that others labelled have no label of rater {selection.rater} and count as "
            f"unlabelled: {', '.join(others[:10])}{' …' if len(others) > 10 else ''}.",
            file=sys.stderr,
        )
    if found.lone_labels:
        names = [path.name for path in found.lone_labels]
        print(
            f"Note: {len(names)} label(s) have the name of no image and are left out: {', '.join(names[:10])}"
            f"{' …' if len(names) > 10 else ''}.",
            file=sys.stderr,
        )
    counts = Counter((case.split, case.quality) for case in dataset.cases)
    parts = [
        f"{counts[split, quality]} {quality.value} {split.value}"
        for split in Split
        for quality in LabelQuality
        if counts[split, quality]
    ]
    print(f"{arguments.output}: {', '.join(parts)}; structures: {', '.join(one.name for one in dataset.structures)}.")
    print(f"Look at it with: python -m AIDELib check {arguments.output}")


def _parse_structure(text: str, index: int) -> Structure:
    match = _STRUCTURE.fullmatch(text)
    if match is None:
        raise DatasetError(f"--structure must be NAME=VALUE, NAME=VALUE,VALUE or NAME=VALUE:R,G,B, got '{text}'.")
    color = DEFAULT_COLORS[index % len(DEFAULT_COLORS)]
    if match["color"]:
        red, green, blue = map(int, match["color"].split(","))
        color = red, green, blue
    return Structure(match["name"].strip(), tuple(map(int, match["values"].split(","))), color)
