"""The module `ctk` as scripted modules import it."""

from __future__ import annotations

import sys
import types

from ..pythonqt.ui_loader import register_custom_widgets
from . import buttons_and_boxes, collapsible_button, numbers, paths


def install_ctk() -> types.ModuleType:
    """Return the module `ctk`, importable from now on."""
    if "ctk" in sys.modules:
        return sys.modules["ctk"]
    ctk = types.ModuleType("ctk", "Widgets of the Common Toolkit.")
    for module in (buttons_and_boxes, collapsible_button, numbers, paths):
        for name, value in vars(module).items():
            if name.startswith("ctk"):
                setattr(ctk, name, value)
    register_custom_widgets({name: value for name, value in vars(ctk).items() if name.startswith("ctk")})
    sys.modules["ctk"] = ctk
    return ctk
