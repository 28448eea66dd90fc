"""Start the host: after `start()` the modules `qt`, `ctk` and `slicer` are what scripted modules expect."""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import sys
import types
from typing import Any

_started: dict[str, Any] = {}


def missing_packages() -> str:
    """Return why the host cannot start here, or an empty string."""
    for package, distribution in (("slicer_core", "slicer-core"), ("PySide6", "PySide6-Essentials")):
        if importlib.util.find_spec(package) is None:
            return f"{distribution} is not installed (pip install -e .[test])"
    try:
        from PySide6 import QtWidgets  # noqa: F401
    except ImportError as error:
        return f"a system library is missing (Debian: apt-get install libegl1 libgl1 libxkbcommon0): {error}"
    return ""


def start() -> Any:
    """Start the application, once, and return it (`slicer.app`)."""
    if "app" in _started:
        return _started["app"]
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        # VTK would look for an X server first.
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    _keep_singletons_alive()
    _use_fonts_of_matplotlib()
    from .ctk_widgets.ctk_module import install_ctk
    from .pythonqt.qt_module import install_qt

    install_qt()
    install_ctk()
    import slicer

    for name in ("modules", "moduleNames"):
        module = types.ModuleType(f"slicer.{name}")
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
    _add_widgets(slicer)
    _add_python_modules(slicer)
    app = _start_application(slicer)
    _started["app"] = app
    return app


def _keep_singletons_alive() -> None:
    """Make up for PySide6, which releases None, True and False at calls that return them without having taken them.

    From Python 3.12 on these count no references; before, the interpreter aborts once they are used up.
    """
    if sys.version_info < (3, 12):
        for singleton in (None, True, False, *range(257)):
            ctypes.c_ssize_t.from_address(id(singleton)).value += 1 << 40


def _use_fonts_of_matplotlib() -> None:
    """Show text where no font is installed: the offscreen platform finds none of its own."""
    specification = importlib.util.find_spec("matplotlib")
    if specification is not None and specification.submodule_search_locations:
        folder = os.path.join(specification.submodule_search_locations[0], "mpl-data", "fonts", "ttf")
        os.environ.setdefault("QT_QPA_FONTDIR", folder)


def _add_widgets(slicer: Any) -> None:
    from .app import layout_manager, scripted_module
    from .app.views import plot_view, slice_view, three_d_view
    from .mrml_widgets import mrml_widget, node_combo_box, segment_editor_widget, segments_table_view, table_view
    from .pythonqt.ui_loader import register_custom_widgets

    views = (layout_manager, plot_view, slice_view, three_d_view)
    widgets = (mrml_widget, node_combo_box, segments_table_view, segment_editor_widget, table_view)
    for module in (*widgets, scripted_module, *views):
        classes = {name: value for name, value in vars(module).items() if name.startswith(("qMRML", "qSlicer"))}
        for name, value in classes.items():
            setattr(slicer, name, value)
        register_custom_widgets(classes)


def _add_python_modules(slicer: Any) -> None:
    """Make `slicer.ScriptedLoadableModule` and the like importable."""
    from .app import i18n

    _register(slicer, "i18n", i18n)
    from .app import packaging

    _register(slicer, "packaging", packaging)
    slicer.util.pip_install = packaging.pip_install
    slicer.util.pip_uninstall = packaging.pip_uninstall
    from . import parameter_node

    _register(slicer, "parameterNodeWrapper", parameter_node)
    from .app import scripted_loadable_module

    _register(slicer, "ScriptedLoadableModule", scripted_loadable_module)


def _register(slicer: Any, name: str, module: types.ModuleType) -> None:
    sys.modules[f"slicer.{name}"] = module
    setattr(slicer, name, module)


def _start_application(slicer: Any) -> Any:
    from .app.application import qSlicerApplication
    from .app.main_window import qSlicerMainWindow
    from .app.scene import make_scene
    from .app.subject_hierarchy import SubjectHierarchyPlugins

    scene, application_logic = make_scene()
    slicer.mrmlScene = scene
    app = qSlicerApplication(["Slicer"], scene, application_logic)
    slicer.app = app
    app.moduleManager().load_core_modules(application_logic, scene)
    _started["plugins"] = SubjectHierarchyPlugins(scene)
    _started["window"] = qSlicerMainWindow(app)
    atexit.register(app.close_down)
    return app
