"""What stands in for the Slicer application where there is none: the real MRML scene, nodes, segmentations, logics and
`slicer.util` of slicer-core, and PySide6 in the place of PythonQt. For development only.

Use, for who writes a module or its tests::

    # pytest does this for every test file below AIDETraining/, AIDESegmentation/ and AIDESlicer/:
    from Testing.SlicerHost import start
    app = start()                                  # = slicer.app; `qt`, `ctk`, `slicer` can be imported from now on

    module = app.moduleManager().load_scripted_module("AIDETraining/AIDETraining.py")   # Slicer: additional module path
    slicer.util.selectModule("AIDETraining")       # makes the panel (setup), enters it
    widget = slicer.modules.AIDETrainingWidget     # or slicer.util.getModuleWidget("AIDETraining")
    widget.ui.applyButton.click()
    app.processEvents()

In pytest: the fixture `slicer_app` (an empty scene; used by itself in the modules' folders) and `scripted_module(path)`,
which loads a module and unloads it after the test. A test fails if a slot or an observer raised. Self-tests
(`ScriptedLoadableModuleTest`) are collected as they are. As with Slicer's `--testing`, message boxes are not shown:
`slicer.util.errorDisplay` only logs. (`confirm…Display` return False then, in Slicer, too; tests that say yes replace
them.)

The rule: the host has what Slicer has, under the same names with the same defaults, and nothing more; no product code asks
which of the two it is in.
"""

from .host import missing_packages, start

__all__ = ["missing_packages", "start"]
