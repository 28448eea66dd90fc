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
from AIDELib.container_document import (
    CHECKSUM_FILE,
    TENSOR_ENDING,
    ContainerError,
    checksum_lines,
    member,
    opened_container,
    read_document,
    read_member,
)
from AIDELib.memory import available_memory, describe_bytes
from AIDELib.tensor_header import TensorHeaderError, TensorShape, read_tensor_header, require_shapes


class MemoryShortage(ContainerError):
    """A container needs more memory than is free now; nothing else is known to be wrong with it."""


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
    contents = {document_name: json.dumps(container.document, indent=1, ensure_ascii=False).encode()}
    for group, tensors in container.tensors.items():
        contents[f"{group}{TENSOR_ENDING}"] = safetensors.torch.save(_contiguous(tensors))
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in contents.items():
            # Label maps shrink to a hundredth, weights hardly at all.
            shrinks = not any(
                tensor.is_floating_point() for tensor in container.tensors.get(Path(name).stem, {}).values()
            )
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED, compresslevel=1)
        archive.writestr(CHECKSUM_FILE, checksum_lines(contents))


def read_container(path: Path, document_name: str) -> Container:
    """Read a container that `write_container` wrote.

    Raises:
        ContainerError: it is damaged or no such container.
        MemoryShortage: it is larger than the memory.
        OSError: the file cannot be opened.
    """
    with opened_container(path) as archive:
        document = read_document(archive, document_name)
        groups = [name.removesuffix(TENSOR_ENDING) for name in archive.namelist() if name.endswith(TENSOR_ENDING)]
        require_memory(archive, groups)
        return Container(document, {group: read_tensors(archive, group) for group in groups})


def read_tensors(
    archive: zipfile.ZipFile, group: str, expected: Mapping[str, TensorShape] | None = None
) -> dict[str, Tensor]:
    """Return one group of tensors.

    Args:
        expected: the tensors that there must be, compared before any is read; None takes what is there.

    Raises:
        ContainerError: they are missing, damaged or others than expected.
    """
    name = f"{group}{TENSOR_ENDING}"
    info = member(archive, name)
    try:
        with archive.open(info) as file:
            shapes = read_tensor_header(file, info.file_size)
        if expected is not None:
            require_shapes(shapes, expected)
        return safetensors.torch.load(read_member(archive, name))
    except TensorHeaderError as error:
        raise ContainerError(f"{name}: {error}") from None
    except (ValueError, KeyError, safetensors.SafetensorError) as error:
        raise ContainerError(f"{name} is damaged ({error})") from None


def require_memory(archive: zipfile.ZipFile, groups: list[str]) -> None:
    """Refuse tensors that would not fit into the memory.

    Raises:
        ContainerError: they are missing.
        MemoryShortage: they are too large.
    """
    # Once as read, once as tensors.
    needed = 2 * sum(member(archive, f"{group}{TENSOR_ENDING}").file_size for group in groups)
    available = available_memory()
    if available is not None and needed > available:
        raise MemoryShortage(
            f"it needs {describe_bytes(needed)} of memory, and {describe_bytes(available)} are available"
        )


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
