"""The module `qt` as scripted modules import it."""

from __future__ import annotations

import sys
import types

from .attributes import install_attributes
from .classes import QT_MODULES
from .object_tree import install_object_tree
from .properties import install_properties
from .return_values import install_return_values
from .signals import install_connect
from .ui_loader import QUiLoader


def install_qt() -> types.ModuleType:
    """Make PySide6 behave as PythonQt does and return the module `qt`, importable from now on."""
    if "qt" in sys.modules:
        return sys.modules["qt"]
    install_return_values()
    install_object_tree()
    install_properties()
    install_connect()
    install_attributes()
    qt = types.ModuleType("qt", "Qt as PythonQt wraps it.")
    for module in QT_MODULES:
        for name in dir(module):
            if name.startswith(("Q", "q")):
                setattr(qt, name, getattr(module, name))
    qt.QUiLoader = QUiLoader
    sys.modules["qt"] = qt
    return qt
