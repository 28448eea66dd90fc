"""Documentation: examples run, links lead somewhere."""

import json
import re

import jsonschema
import pytest
from case_files import REPOSITORY

PAGES = sorted((REPOSITORY / "Docs").glob("*.md"))
EXAMPLES = [
    pytest.param(match[1], id=f"{page.stem}-{number}")
    for page in PAGES
    for number, match in enumerate(re.finditer(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.fixture(autouse=True)
def _networks_registered_by_examples_are_forgotten(monkeypatch):
    from AIDELib import networks

    monkeypatch.setattr(networks, "_FACTORIES", dict(networks._FACTORIES))


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs(code):
    assert "assert " in code
    exec(compile(code, "example", "exec"), {"__name__": "example"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_dataset_in_the_formats_page_fits_the_schema():
    text = (REPOSITORY / "Docs" / "formats.md").read_text(encoding="utf-8")
    document = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])
    schema = json.loads((REPOSITORY / "AIDELib" / "schemas" / "dataset.schema.json").read_text())
    jsonschema.validate(document, schema)
