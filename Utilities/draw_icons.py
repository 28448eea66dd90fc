#!/usr/bin/env python3
"""Draw the PNG icons (128 x 128) of the extension and its modules from Utilities/Icons/*.svg. Needs PySide6."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE = 128
ICONS = {
    "AIDE": REPOSITORY / "AIDE.png",
    "AIDETraining": REPOSITORY / "AIDETraining/Resources/Icons/AIDETraining.png",
    "AIDESegmentation": REPOSITORY / "AIDESegmentation/Resources/Icons/AIDESegmentation.png",
}


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6 import QtGui, QtSvg

    application = QtGui.QGuiApplication([])
    for name, path in ICONS.items():
        image = QtGui.QImage(SIZE, SIZE, QtGui.QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QtGui.QPainter(image)
        QtSvg.QSvgRenderer(str(REPOSITORY / f"Utilities/Icons/{name}.svg")).render(painter)
        painter.end()
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(str(path))
        print(f"Wrote {path.relative_to(REPOSITORY)}")
    del application


if __name__ == "__main__":
    main()
