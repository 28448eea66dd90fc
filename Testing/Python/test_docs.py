"""Documentation: examples run, links lead somewhere."""

import json
import re

import jsonschema
import pytest
from case_files import REPOSITORY

from AIDELib.prediction_job import JobFolder

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


def example_of_format(name):
    """Return the example of a format in the page of formats, as text."""
    page = (REPOSITORY / "Docs" / "formats.md").read_text(encoding="utf-8")
    (example,) = [
        block for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL) if f'"format": "{name}"' in block
    ]
    return example


def test_the_prediction_job_in_the_formats_page_can_be_read(tmp_path):
    (tmp_path / "job.json").write_text(example_of_format("aide-prediction-job/1"), encoding="utf-8")
    job = JobFolder(tmp_path).read()
    JobFolder(tmp_path).write(job)
    written = json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))
    assert written == json.loads(example_of_format("aide-prediction-job/1"))


def test_the_dataset_in_the_formats_page_fits_the_schema():
    document = json.loads(example_of_format("aide-dataset/1"))
    schema = json.loads((REPOSITORY / "AIDELib" / "schemas" / "dataset.schema.json").read_text())
    jsonschema.validate(document, schema)
