"""`export-dataset`: a dataset.json as a folder in a public layout."""

from __future__ import annotations

import argparse
from pathlib import Path

from AIDELib.commands.terminal import TerminalProgress
from AIDELib.dataset_file import load_dataset
from AIDELib.writers import LAYOUT_WRITERS
from AIDELib.writers.layout_writer import test_cases, training_cases
from AIDELib.writers.left_out import left_out


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    layouts = "\n".join(f"  {name:10} {layout.help}" for name, layout in LAYOUT_WRITERS.items())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export-dataset",
        help="write a dataset as a folder for other programs",
        description=f"Write the images and labels of a dataset.json as a folder in one of these layouts:\n{layouts}\n\n"
        "All channels and the label of a case lie on the grid of the first channel; the label values are 1, 2 … in the "
        "order of the structures. Unlabelled cases become test images without a label. 'import' reads such a folder.",
        epilog="Example: python -m AIDELib export-dataset dataset.json --to nnunet --output nnUNet_raw/Dataset123_Liver",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", type=Path, help="dataset.json")
    parser.add_argument("--to", choices=LAYOUT_WRITERS, required=True, help="one of the layouts above")
    parser.add_argument("--output", type=Path, required=True, help="the folder to write; new or empty")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    dataset = load_dataset(arguments.dataset)
    layout = LAYOUT_WRITERS[arguments.to]
    with TerminalProgress() as progress:
        layout.write(dataset, arguments.output.absolute(), progress.show_share)
    values = ", ".join(f"{index + 1} {structure.name}" for index, structure in enumerate(dataset.structures))
    print(
        f"{arguments.output}: {len(training_cases(dataset))} training and {len(test_cases(dataset))} test cases; "
        f"label values: {values}."
    )
    missing = left_out(dataset)
    if missing:
        print(f"Not in the folder, because {layout.title} has no place for it: {'; '.join(missing)}.")
