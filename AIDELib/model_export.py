"""Trained models for programs that know nothing of AIDE: TorchScript, ONNX, a MONAI bundle, a plain folder."""

from __future__ import annotations

import importlib.util
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from AIDELib import __version__
from AIDELib.atomic_file import replacing, write_bytes_atomically, write_text_atomically
from AIDELib.atomic_folder import creating_folder
from AIDELib.container_document import CHECKSUM_FILE, checksum_lines, opened_container
from AIDELib.errors import ModelError
from AIDELib.model import Model, load_model, save_model
from AIDELib.model_description import DOCUMENT_NAME, ModelDescription, model_file
from AIDELib.padding import EDGE_MULTIPLE, padded_size

# Traced on this many pixels; other sizes follow from the operations.
_SMALLEST_WINDOW = 256
_ROWS_AND_COLUMNS = {
    "axial": "Rows go to the back, columns to the left.",
    "coronal": "Rows go to the head, columns to the left.",
    "sagittal": "Rows go to the head, columns to the back.",
}
_EXAMPLE_EDGE = 64


class SliceEnsemble(nn.Module):
    """All networks of a model as one: z-scored slices in, mean probabilities out.

    Args:
        networks: of one model, from images (B, M, H, W) to logits (B, C, H, W), H and W multiples of 16.
        smallest: (H, W) that slices are padded to at least, as the model's plan says.
    """

    def __init__(self, networks: list[nn.Module], smallest: tuple[int, int]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.smallest_height, self.smallest_width = padded_size((1, 1), smallest)

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (B, C, H, W) of slices (B, M, H, W) of any size."""
        height, width = images.shape[2], images.shape[3]
        rows = max(self.smallest_height - height, -height % 16)
        columns = max(self.smallest_width - width, -width % 16)
        above, left = rows // 2, columns // 2
        padded = functional.pad(images, (left, columns - left, above, rows - above))
        total = torch.zeros([1], device=images.device)
        for network in self.networks:
            total = total + network(padded).softmax(dim=1)
        mean = total / len(self.networks)
        return mean[:, :, above : above + height, left : left + width]


def slice_ensemble(model: Model) -> SliceEnsemble:
    """Return the model's networks as one module on the CPU, in evaluation mode.

    Raises:
        ModelError: the model's network is unknown, its weights do not fit, or its networks see different planes.
    """
    _require_one_plane(model.description)
    networks = list(model.create_networks(torch.device("cpu")))
    return SliceEnsemble(networks, model.description.plan.size).eval().requires_grad_(False)


def export_torchscript(model: Model, output: Path) -> None:
    """Write a TorchScript file with a `SliceEnsemble`; what the model expects stands in its file `model.json`.

    Raises:
        ModelError: the networks see different planes or cannot be traced, or the file cannot be written.
    """
    _write_script(model, {DOCUMENT_NAME: model.description.to_json()}, output)


def export_onnx(model: Model, output: Path) -> None:
    """Write an ONNX file: input "images" (B, M, H, W), H and W multiples of 16, output "probabilities" (B, C, H, W).

    Who runs it pads the slices with 0 to at least the size that the model was trained with (`slices.size` in model.json).

    Raises:
        ModelError: the networks see different planes, the packages onnx and onnxscript are not installed, or the file
            cannot be written.
    """
    _require_one_plane(model.description)
    missing = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(
            f"The export to ONNX needs the package(s) {' and '.join(missing)}: pip install onnx onnxscript."
        )
    example = torch.zeros(2, len(model.description.channels), _EXAMPLE_EDGE, _EXAMPLE_EDGE + EDGE_MULTIPLE)
    batch = torch.export.Dim("batch", min=1, max=4096)
    height, width = (EDGE_MULTIPLE * torch.export.Dim(name, min=1, max=1024) for name in ("rows", "columns"))

    def write(path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                MeanProbabilities(list(slice_ensemble(model).networks)),
                (example,),
                str(path),
                input_names=["images"],
                output_names=["probabilities"],
                dynamo=True,
                external_data=False,
                dynamic_shapes=({0: batch, 2: height, 3: width},),
                verbose=False,
            )

    _write(write, output)


class MeanProbabilities(nn.Module):
    """A `SliceEnsemble` without padding, for formats that know no sizes that depend on others."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (B, C, H, W) of slices (B, M, H, W), H and W multiples of 16."""
        return torch.stack([network(images).softmax(dim=1) for network in self.networks]).mean(dim=0)


def export_monai_bundle(model: Model, output: Path) -> None:
    """Write a MONAI bundle: the networks as TorchScript, and configurations that MONAI's own loader understands.

    Raises:
        ModelError: the networks see different planes, or the folder is in use already or cannot be written.
    """
    _require_one_plane(model.description)

    def fill(folder: Path) -> None:
        for name in ("models", "configs", "docs"):
            (folder / name).mkdir()
        description = model.description
        _write_script(model, {"metadata.json": _metadata(description)}, folder / "models" / "model.ts")
        for name, content in {"metadata": _metadata(description), "inference": _inference(description)}.items():
            write_text_atomically(folder / "configs" / f"{name}.json", json.dumps(content, indent=2) + "\n")
        write_text_atomically(folder / "docs" / "README.md", _bundle_readme(description))

    _write_folder(fill, output)


def export_folder(source: Path, output: Path) -> None:
    """Write the parts of a model file into a folder: `model.json`, the weights as safetensors, their checksums.

    Raises:
        ModelError: the model cannot be used, or the folder is in use already or cannot be written.
    """
    load_model(source)
    file = model_file(source)

    def fill(folder: Path) -> None:
        # The names were checked when it was opened: none leads out of the folder.
        with opened_container(file) as archive:
            contents = {name: archive.read(name) for name in archive.namelist() if name != CHECKSUM_FILE}
        for name, data in contents.items():
            write_bytes_atomically(folder / name, data)
        write_text_atomically(folder / CHECKSUM_FILE, checksum_lines(contents))

    _write_folder(fill, output)


def pack_folder(folder: Path, output: Path) -> None:
    """Write a model file from the parts in a folder.

    Raises:
        ModelError: the parts are no usable model, or the file cannot be written.
    """
    names = [DOCUMENT_NAME, *sorted(path.name for path in folder.glob("*.safetensors"))]
    try:
        with tempfile.TemporaryDirectory() as temporary:
            packed = Path(temporary) / output.name
            contents = {name: (folder / name).read_bytes() for name in names}
            with zipfile.ZipFile(packed, "w") as archive:
                for name, data in contents.items():
                    archive.writestr(name, data)
                archive.writestr(CHECKSUM_FILE, checksum_lines(contents))
            model = load_model(packed)
        _write(lambda path: save_model(model, path), output)
    except OSError as error:
        raise ModelError(f"{folder} holds no usable model ({error.strerror}: {error.filename}).") from None


def _require_one_plane(description: ModelDescription) -> None:
    plans = description.distinct_plans
    if len(plans) > 1:
        planes = ", ".join(plan.orientation.value for plan in plans)
        raise ModelError(
            f"The model's networks see slices of different planes ({planes}), of which TorchScript, ONNX and MONAI bundles "
            "hold one alone; use the .aide file, or train with plane_per_network=false."
        )


def _write_script(model: Model, documents: dict[str, dict[str, Any]], output: Path) -> None:
    script = _scripted(model)
    texts = {name: json.dumps(document) for name, document in documents.items()}
    _write(lambda path: torch.jit.save(script, str(path), _extra_files=texts), output)


def _scripted(model: Model) -> torch.jit.ScriptModule:
    ensemble = slice_ensemble(model)
    example = torch.zeros(1, len(model.description.channels), _EXAMPLE_EDGE, _EXAMPLE_EDGE + EDGE_MULTIPLE)
    with warnings.catch_warnings():
        # Sizes are compared while the network is traced, with the same outcome for every size that is allowed.
        warnings.simplefilter("ignore")
        traced = [torch.jit.trace(network, example, check_trace=False) for network in ensemble.networks]
        return torch.jit.script(SliceEnsemble(traced, model.description.plan.size).eval())


def _write(write: Callable[[Path], None], output: Path) -> None:
    if not output.suffix or output.is_dir():
        raise ModelError(f"{output} cannot be written: name a file with an ending, for example 'model.ts'.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as temporary:
            write(temporary)
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise ModelError(f"{output} cannot be written: {why}.") from None


def _write_folder(fill: Callable[[Path], None], output: Path) -> None:
    try:
        with creating_folder(output) as folder:
            fill(folder)
    except OSError as error:
        raise ModelError(f"{output} cannot be written: {error.strerror}.") from None


def _metadata(description: ModelDescription) -> dict[str, Any]:
    channels = {str(index): name for index, name in enumerate(description.channels)}
    classes = {"0": "background"} | {str(index + 1): one.name for index, one in enumerate(description.structures)}
    x, y = description.plan.spacing
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
        "version": "1.0.0",
        "changelog": {"1.0.0": "exported from AIDE"},
        "monai_version": "1.3.0",
        "pytorch_version": str(description.training.get("torch", torch.__version__)),
        "numpy_version": "1.26.0",
        "required_packages_version": {},
        "task": "segmentation",
        "description": f"Segments {', '.join(one.name for one in description.structures)}; trained with AIDE {__version__}.",
        "authors": "",
        "copyright": "",
        "intended_use": "Research; not for diagnosis.",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "num_channels": len(channels),
                    "spatial_shape": ["*", "*"],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": channels,
                    "plane": description.plan.orientation.value,
                    "rows_and_columns": _ROWS_AND_COLUMNS[description.plan.orientation.value],
                    "pixel_spacing_mm": [x, y],
                    "normalization": f"z-score per {description.plan.normalization.value}",
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": len(classes),
                    "spatial_shape": ["*", "*"],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": classes,
                }
            },
        },
    }


def _inference(description: ModelDescription) -> dict[str, Any]:
    # Of arrays (z, y, x): what is left are rows and columns as the networks learned them.
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[description.plan.orientation.value]
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": "$torch.jit.load(@bundle_root + '/models/model.ts', map_location=@device)",
        "network": "$@network_def.eval()",
        "inferer": {
            "_target_": "SliceInferer",
            "roi_size": [max(_SMALLEST_WINDOW, edge) for edge in description.plan.size],
            "spatial_dim": axis,
            "sw_batch_size": 8,
            "overlap": 0.25,
        },
    }


def _bundle_readme(description: ModelDescription) -> str:
    structures = ", ".join(f"{index + 1} {one.name}" for index, one in enumerate(description.structures))
    x, y = description.plan.spacing
    orientation = description.plan.orientation.value
    return (
        "# A model trained with AIDE\n\n"
        f"- Input: {orientation} slices, channels {', '.join(description.channels)}, resampled to {x:.4g} x {y:.4g} mm, "
        f"z-scored per {description.plan.normalization.value}; any size. {_ROWS_AND_COLUMNS[orientation]}\n"
        "- Volumes for the inferer of `configs/inference.json`: (batch, channel, z, y, x),\n"
        "  x to the left, y to the back, z to the head:\n"
        "  what `sitk.GetArrayFromImage(sitk.DICOMOrient(image, 'LPS'))` gives, channels stacked.\n"
        f"- Output: probabilities of 0 background, {structures}.\n\n"
        "Research use; not for diagnosis.\n"
    )
