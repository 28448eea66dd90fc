"""The extension's description: what CMakeLists.txt, AIDE.json and AIDE.s4ext say, by the rules of the Extensions Index."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]

CMAKE = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
ENTRY = json.loads((REPOSITORY / "AIDE.json").read_text(encoding="utf-8"))
S4EXT = dict(
    line.partition(" ")[::2]
    for line in (REPOSITORY / "AIDE.s4ext").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
# The schema of the index, version 1.0.2: these keys and types, and no others.
SCHEMA_TYPES = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "dicom_support_rule": str,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
ICONS = (
    "AIDE.png",
    "AIDETraining/Resources/Icons/AIDETraining.png",
    "AIDESegmentation/Resources/Icons/AIDESegmentation.png",
)


def cmake_value(key):
    return re.search(rf'set\(EXTENSION_{key} "([^"]+)"\)', CMAKE)[1]


def test_descriptions_agree_with_cmakelists():
    result = subprocess.run(
        [sys.executable, str(REPOSITORY / "Utilities/describe_extension.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_check_sees_a_changed_fact(tmp_path):
    for name in ("CMakeLists.txt", "AIDE.json", "AIDE.s4ext"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("Segmentation", "Registration") if name == "AIDE.json" else text)
    script = tmp_path / "Utilities" / "describe_extension.py"
    script.parent.mkdir()
    script.write_bytes((REPOSITORY / "Utilities/describe_extension.py").read_bytes())
    command = [sys.executable, str(script), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stdout == "AIDE.json differs from CMakeLists.txt; run Utilities/describe_extension.py\n"


def test_catalog_entry_follows_the_schema():
    assert set(ENTRY) <= set(SCHEMA_TYPES)
    assert {"$schema", "category", "scm_url"} <= set(ENTRY)
    for key, value in ENTRY.items():
        assert type(value) is SCHEMA_TYPES[key], key
    assert 1 <= ENTRY["tier"] <= 5
    assert ENTRY["build_dependencies"] == ["PyTorch"]


def test_names_are_as_the_index_wants_them():
    assert re.search(r"project\s*\(\s*([^\s\)]+)", CMAKE)[1] == "AIDE"
    assert not "AIDE".lower().startswith("slicer")
    url = urlsplit(ENTRY["scm_url"])
    assert url.scheme in ("git", "https")
    assert url.path.split("/")[-1].startswith("Slicer")
    assert ENTRY["category"] == S4EXT["category"] == "Segmentation"


@pytest.mark.parametrize("name", ["AIDE.json", "AIDE.s4ext", "CMakeLists.txt"])
def test_files_have_unix_line_ends(name):
    assert b"\r" not in (REPOSITORY / name).read_bytes()


def test_pictures_named_by_url_are_in_the_repository():
    urls = [cmake_value("ICONURL"), *cmake_value("SCREENSHOTURLS").split()]
    prefix = ENTRY["scm_url"].replace("https://github.com", "https://raw.githubusercontent.com") + "/main/"
    assert len(urls) == 3
    for url in urls:
        assert url.startswith(prefix)
        Image.open(REPOSITORY / url.removeprefix(prefix)).verify()


@pytest.mark.parametrize("path", ICONS)
def test_icons_are_128_pixels_square_and_not_empty(path):
    with Image.open(REPOSITORY / path) as image:
        assert image.size == (128, 128)
        assert len(image.convert("RGB").getcolors(128 * 128)) > 3


def test_there_is_a_licence():
    assert (REPOSITORY / "LICENSE").is_file()
