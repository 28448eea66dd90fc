"""The JSON document of a container file, read without its tensors."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import error as zlib_error


class ContainerError(Exception):
    """A container file is damaged or no container; the text says how, without naming the file."""


@contextmanager
def opened_container(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a container; what goes wrong while it is read becomes a ContainerError.

    Raises:
        ContainerError: it is damaged, or no container.
        OSError: the file cannot be opened.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib_error) as error:
        raise ContainerError(f"it is damaged or incomplete ({error})") from None


def read_document(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Return the JSON document of that name.

    Raises:
        ContainerError: it is missing or no JSON object.
    """
    try:
        document = json.loads(archive.read(name))
    except KeyError:
        raise ContainerError(f"there is no {name} in it") from None
    except ValueError as error:
        raise ContainerError(f"{name} is damaged ({error})") from None
    if not isinstance(document, dict):
        raise ContainerError(f"{name} is no JSON object")
    return document
