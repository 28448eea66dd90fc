"""A zip of JSON documents and tensors: the form of model files and checkpoints. Nothing in it is ever executed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from AIDELib.atomic_file import replacing
from AIDELib.container_document import ContainerError, opened_container, read_document


@dataclass(frozen=True)
class Container:
    """The content of a container file.

    Attributes:
        document: JSON values.
        tensors: tensors by group and name.
    """

    document: dict[str, Any]
    tensors: dict[str, dict[str, Tensor]]


def write_container(path: Path, document_name: str, container: Container) -> None:
    """Write a container, replacing an older one only when the new one is complete.

    Args:
        document_name: name of the JSON document inside.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(document_name, json.dumps(container.document, indent=1, ensure_ascii=False))
        for group, tensors in container.tensors.items():
            # Label maps shrink to a hundredth, weights hardly at all, so that the fastest level serves both.
            archive.writestr(_tensor_file(group), safetensors.torch.save(_contiguous(tensors)), compresslevel=1)


def read_container(path: Path, document_name: str) -> Container:
    """Read a container that `write_container` wrote.

    Raises:
        ContainerError: it is damaged, or no such container.
        OSError: the file cannot be opened.
    """
    with opened_container(path) as archive:
        document = read_document(archive, document_name)
        try:
            tensors = {
                name.removesuffix(".safetensors"): safetensors.torch.load(archive.read(name))
                for name in archive.namelist()
                if name.endswith(".safetensors")
            }
        except (ValueError, safetensors.SafetensorError) as error:
            raise ContainerError(f"its content is damaged ({error})") from None
    return Container(document, tensors)


def _tensor_file(group: str) -> str:
    return f"{group}.safetensors"


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
