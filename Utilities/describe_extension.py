#!/usr/bin/env python3
"""Write AIDE.json (Extensions Index) and AIDE.s4ext from the facts in the top CMakeLists.txt; --check only compares."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.2.json#"
)
BRANCH = "main"
# Slicer's defaults of what CMakeLists.txt does not set (SlicerExtensionDescriptionSpec.cmake).
DEFAULTS = {"DEPENDS": "NA", "RECOMMENDS": "NA", "BUILD_SUBDIRECTORY": ".", "ENABLED": "1", "TIER": "1"}
# Keyword of the file, name of the CMake variable after EXTENSION_, what the file says of it.
S4EXT_FIELDS = (
    ("depends", "DEPENDS", "Extensions that are built first"),
    ("recommends", "RECOMMENDS", "Extensions that go well with it"),
    ("build_subdirectory", "BUILD_SUBDIRECTORY", "Folder of the inner build"),
    ("homepage", "HOMEPAGE", "Where to read more"),
    ("contributors", "CONTRIBUTORS", "Who made it"),
    ("category", "CATEGORY", "Where it stands in the catalogue"),
    ("iconurl", "ICONURL", "Icon, PNG of 128 x 128 pixels"),
    ("status", "STATUS", "What to expect of it"),
    ("tier", "TIER", "Maturity, 1 to 5"),
    ("description", "DESCRIPTION", "What it does"),
    ("screenshoturls", "SCREENSHOTURLS", "Pictures of it, separated by spaces"),
    ("enabled", "ENABLED", "Whether it is enabled after its installation"),
    ("dicom_support_rule", "DICOM_SUPPORT_RULE", "Which DICOM data it handles"),
    ("keywords", "KEYWORDS", "Words to find it by"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    check = parser.parse_args().check
    name, facts = read_facts((REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8"))
    wanted = {f"{name}.json": catalog_entry(facts), f"{name}.s4ext": s4ext(facts)}
    different = [file for file, text in wanted.items() if _read(REPOSITORY / file) != text]
    if check:
        for file in different:
            print(f"{file} differs from CMakeLists.txt; run Utilities/describe_extension.py")
        return 1 if different else 0
    for file in different:
        (REPOSITORY / file).write_text(wanted[file], encoding="utf-8", newline="\n")
        print(f"Wrote {file}")
    return 0


def read_facts(cmake: str) -> tuple[str, dict[str, list[str]]]:
    """Return the project's name and its EXTENSION_… values."""
    name = re.search(r"^project\((\w+)", cmake, re.MULTILINE)
    if name is None:
        raise ValueError("CMakeLists.txt names no project")
    found = re.findall(r'^set\(EXTENSION_(\w+)((?:\s+"[^"]*")+)\s*\)', cmake, re.MULTILINE)
    facts = {key: re.findall(r'"([^"]*)"', values) for key, values in found}
    return name[1], {**{key: [value] for key, value in DEFAULTS.items()}, **facts}


def catalog_entry(facts: dict[str, list[str]]) -> str:
    """Return the file of the Extensions Index."""
    depends = " ".join(facts["DEPENDS"]).split()
    entry = {
        "$schema": SCHEMA,
        "build_dependencies": [] if depends == ["NA"] else depends,
        "build_subdirectory": facts["BUILD_SUBDIRECTORY"][0],
        "category": facts["CATEGORY"][0],
        "scm_revision": BRANCH,
        "scm_url": facts["HOMEPAGE"][0],
        "tier": int(facts["TIER"][0]),
    }
    return json.dumps(entry, indent=2) + "\n"


def s4ext(facts: dict[str, list[str]]) -> str:
    """Return the description in the older form: a keyword, a space and the value on each line."""
    lines = ["# Where the source is", "scm git", f"scmurl {facts['HOMEPAGE'][0]}", f"scmrevision {BRANCH}", ""]
    for keyword, key, comment in S4EXT_FIELDS:
        separator = ", " if key == "CONTRIBUTORS" else " "
        lines += [f"# {comment}", f"{keyword} {separator.join(facts.get(key, []))}".rstrip(), ""]
    return "\n".join(lines)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
