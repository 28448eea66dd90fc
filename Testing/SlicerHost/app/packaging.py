"""`slicer.packaging`: which Python packages are there. Like Slicer in testing mode, it installs nothing."""

from __future__ import annotations

import importlib.metadata
import logging
import tomllib
from pathlib import Path
from typing import Any

import slicer
from packaging.requirements import InvalidRequirement, Requirement


def load_requirements(path: str | Path) -> list[Requirement]:
    """Return the requirements of a requirements.txt; options of pip in it are skipped."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def load_pyproject_dependencies(path: str | Path) -> list[Requirement]:
    """Return `project.dependencies` of a pyproject.toml."""
    data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    if "project" not in data:
        raise KeyError(f"{path} lacks the table [project].")
    return [Requirement(text) for text in data["project"].get("dependencies", [])]


def pip_check(req: str | Requirement | list[str | Requirement]) -> bool:
    """Return whether all requirements are satisfied; those whose marker does not apply here are."""
    return not _missing(req)


def isPipInstallInProgress() -> bool:
    """Return whether an installation runs."""
    return False


def pip_ensure(
    requirements: str | Requirement | list[str | Requirement],
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Install what is missing, after asking; skipped in testing mode.

    Raises:
        RuntimeError: the user does not want it.
    """
    missing = _missing(requirements)
    if not missing:
        return None
    names = ", ".join(str(requirement) for requirement in missing)
    if skip_in_testing and slicer.app.testingEnabled():
        logging.info("Nothing is installed while testing: %s", names)
        return None
    title = f"{requester}: Python packages" if requester else "Python packages"
    question = f"{len(missing)} Python packages are missing. Install them?"
    if prompt_install and not slicer.util.confirmOkCancelDisplay(question, title, detailedText=names):
        raise RuntimeError("The user does not want the packages installed.")
    return pip_install([str(requirement) for requirement in missing], requester=requester)


def pip_install(requirements: str | list[str], *_arguments: Any, **_keywords: Any) -> None:
    """Refuse: a test may not change the environment it runs in."""
    raise OSError(f"Packages are not installed here: {requirements}")


def pip_uninstall(requirements: str | list[str], *_arguments: Any, **_keywords: Any) -> None:
    """Refuse, for the same reason."""
    raise OSError(f"Packages are not uninstalled here: {requirements}")


def _missing(requirements: str | Requirement | list[str | Requirement]) -> list[Requirement]:
    return [requirement for requirement in _as_list(requirements) if not _is_satisfied(requirement)]


def _as_list(requirements: str | Requirement | list[str | Requirement]) -> list[Requirement]:
    if isinstance(requirements, Requirement):
        return [requirements]
    if isinstance(requirements, str):
        try:
            return [Requirement(requirements)]
        except InvalidRequirement:
            return [Requirement(part) for part in requirements.split()]
    return [Requirement(item) if isinstance(item, str) else item for item in requirements]


def _is_satisfied(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return importlib.metadata.version(requirement.name) in requirement.specifier
    except importlib.metadata.PackageNotFoundError:
        return False
