"""`export`: a model for other programs, or as a folder, and back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from AIDELib.errors import SettingsError
from AIDELib.model import load_model
from AIDELib.model_export import (
    export_folder,
    export_monai_bundle,
    export_onnx,
    export_torchscript,
    pack_folder,
)
from AIDELib.run_folder import RunFolder

FORMATS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "torchscript": (
        "one file for torch.jit.load",
        lambda source, output: export_torchscript(load_model(source), output),
    ),
    "onnx": ("one file for ONNX runtimes", lambda source, output: export_onnx(load_model(source), output)),
    "monai-bundle": ("folder that MONAI loads", lambda source, output: export_monai_bundle(load_model(source), output)),
    "folder": ("model.json and safetensors as files of a folder", export_folder),
    "aide": (".aide file from such a folder", pack_folder),
}


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add the command's parser."""
    formats = "\n".join(f"  {name:13} {help_text}" for name, (help_text, _) in FORMATS.items())
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="write a model for other programs",
        description=f"Write a model in another form:\n{formats}\n\n"
        "All but the last two take z-scored slices and give probabilities; how slices are cut and normalized stands in the "
        "model's description, which goes with them.",
        epilog="Example: python -m AIDELib export liver.aide --to torchscript --output liver.ts",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="a .aide file, a run folder, or the folder to make a .aide file from")
    parser.add_argument("--to", choices=FORMATS, required=True, help="one of the forms above")
    parser.add_argument("--output", type=Path, required=True, help="file or folder to write")
    return parser


def run(arguments: argparse.Namespace) -> None:
    """Run the command."""
    # A model is named by its file or by the folder of its run.
    sources = [arguments.model, RunFolder(arguments.model).model_file]
    if os.path.realpath(arguments.output) in map(os.path.realpath, sources):
        raise SettingsError(f"{arguments.output} is the model itself; choose another file for the export.")
    _, export = FORMATS[arguments.to]
    export(arguments.model, arguments.output)
    print(f"Written: {arguments.output}")
