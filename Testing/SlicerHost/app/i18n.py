"""`slicer.i18n`: translation of messages to the application's language."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import slicer


def translate(context: str, text: str) -> str:
    """Return the text in the application's language."""
    return slicer.app.translate(context, text)


def getContext(sourceFile: str) -> str:
    """Return the translation context of a source file: Package.File in a package, File elsewhere."""
    path = Path(sourceFile)
    name = path.name.replace(".py", "")
    in_package = path.is_file() and os.path.isfile(path.parent / "__init__.py")
    return f"{path.parent.name}.{name}" if in_package else name


def tr(text: str) -> str:
    """Translate a text in the context of the calling file."""
    frame = inspect.currentframe()
    caller = frame.f_back if frame else None
    source = inspect.getsourcefile(caller) or inspect.getfile(caller) if caller else ""
    return translate(getContext(source or ""), text)
