"""PySide6 with the manners of PythonQt, which is how Qt appears to Python code inside Slicer."""
