"""JSON documents that tell when they were damaged, with a spare copy that is used then.

The field "checksum" holds the SHA-256 of the other fields. A document without it counts as written by hand and is taken as
it is. The spare copy lies in the folder `spare` beside the document and is written after it, so that a process killed at
any moment leaves at least one of the two whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import Any

from AIDELib.atomic_file import require_folder, write_text_atomically
from AIDELib.json_document import DocumentError, read_json_object

CHECKSUM = "checksum"
SPARE_FOLDER = "spare"
DAMAGED_MARK = ".damaged"

_log = logging.getLogger(__name__)


def write_sealed(path: Path, document: dict[str, Any]) -> None:
    """Replace a document and then its spare copy.

    Raises:
        OSError: it cannot be written, or its folder is gone; the document is then the old or the new one.
    """
    require_folder(path.parent)
    text = _written(document | {CHECKSUM: _checksum(document)})
    write_text_atomically(path, text)
    write_text_atomically(_spare(path), text)


def _written(document: dict[str, Any]) -> str:
    """Return a document as text, each item of its lists on one line: legible, and without a line for every number."""
    fields = ",\n".join(f" {json.dumps(name, ensure_ascii=False)}: {_field(value)}" for name, value in document.items())
    return f"{{\n{fields}\n}}\n"


def _field(value: Any) -> str:
    if not isinstance(value, list | tuple) or not value:
        return json.dumps(value, indent=1, ensure_ascii=False).replace("\n", "\n ")
    items = ",\n".join(f"  {json.dumps(item, ensure_ascii=False)}" for item in value)
    return f"[\n{items}\n ]"


def is_there(path: Path) -> bool:
    """Return whether there is a document or at least its spare copy."""
    return path.exists() or _spare(path).exists()


def read_sealed(path: Path) -> dict[str, Any]:
    """Return a document without its checksum; its spare copy, with a warning in the log, where it is damaged.

    Raises:
        DocumentError: the document is damaged, and so is its spare copy or there is none.
        OSError: there is none, or it cannot be opened.
    """
    try:
        return _read(path)
    except (DocumentError, OSError) as error:
        if not _spare(path).exists():
            raise
        try:
            document = _read(_spare(path))
        except (DocumentError, OSError):
            raise error from None
        _log.warning("%s cannot be used: %s. Its spare copy %s is used instead.", path, _reason(error), _spare(path))
        return document


def mend_sealed(path: Path) -> None:
    """Put the spare copy in the place of a damaged document, which is kept under another name.

    Raises:
        OSError: the folder cannot be written.
    """
    if not _spare(path).exists():
        return
    try:
        _read(path)
        return
    except (DocumentError, OSError):
        pass
    try:
        document = read_sealed(path)
    except (DocumentError, OSError):
        return
    if path.exists():
        shutil.move(path, path.with_name(path.name + DAMAGED_MARK))
    write_sealed(path, document)


def _spare(path: Path) -> Path:
    return path.parent / SPARE_FOLDER / path.name


def _read(path: Path) -> dict[str, Any]:
    document = read_json_object(path)
    checksum = document.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(document):
        raise DocumentError(
            "its checksum does not fit its content, so that it was damaged or changed by hand (who changes it on purpose "
            f'removes the line "{CHECKSUM}")'
        )
    return document


def _checksum(document: dict[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode('ascii')).hexdigest()}"


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
