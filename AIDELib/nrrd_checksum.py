"""A checksum in an NRRD file, as a comment in its header: it covers all else in the file.

Programs that read the file skip the comment, and none that writes it anew takes the comment over, so that a label edited
elsewhere is never mistaken for a damaged one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_MARK = b"# AIDE sha256: "
_COMMENT_LENGTH = len(_MARK) + 64 + 1
_BLOCK = 2**20


def add_nrrd_checksum(path: Path) -> None:
    """Write the checksum into an NRRD file without one.

    Raises:
        OSError: the file cannot be read or written.
    """
    magic, separator, rest = path.read_bytes().partition(b"\n")
    digest = hashlib.sha256(magic + separator + rest).hexdigest()
    path.write_bytes(magic + separator + _MARK + digest.encode() + b"\n" + rest)


def nrrd_is_damaged(path: Path) -> bool:
    """Return whether a file's content differs from its checksum; False where it has none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        magic = file.readline(16)
        comment = file.read(_COMMENT_LENGTH)
        if not comment.startswith(_MARK) or not comment.endswith(b"\n"):
            return False
        digest = hashlib.sha256(magic)
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest().encode() != comment[len(_MARK) : -1]
