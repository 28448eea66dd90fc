"""What computing needs, installed on demand: asked for, refused, offline, broken."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest
import slicer
from packaging.requirements import Requirement

from AIDESlicer import dependencies
from AIDESlicer.dependencies import MissingPackagesError, ensureDependencies, isInstalled, requirements


@pytest.fixture
def missing(monkeypatch):
    """Pretend that these packages are missing until they are "installed"; return the set of those still missing."""
    absent = {"torch", "safetensors", "scikit-image"}
    real = dependencies.isInstalled
    monkeypatch.setattr(dependencies, "isInstalled", lambda wanted: wanted.name not in absent and real(wanted))
    return absent


@pytest.fixture
def torch_extension(monkeypatch, missing):
    """The PyTorch extension, whose installer does what a test says; returns what it was called with."""
    calls = []

    class PyTorchUtilsLogic:
        outcome = staticmethod(lambda: missing.discard("torch") or types.SimpleNamespace(__version__="2.5"))

        def installTorch(self, **arguments):
            calls.append(arguments)
            return PyTorchUtilsLogic.outcome()

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    module.calls = calls
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return module


def test_nothing_is_asked_where_all_is_there(monkeypatch):
    monkeypatch.setattr(dependencies, "verifyDependencies", lambda: pytest.fail("verified in vain"))
    ensureDependencies("AIDE")


def test_versions_count():
    assert isInstalled(Requirement("numpy>=1"))
    assert not isInstalled(Requirement("numpy>=1000"))
    assert not isInstalled(Requirement("no-such-package-of-anyone"))


def test_packages_are_those_of_the_library():
    text = (Path(__file__).resolve().parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in (*requirements(), dependencies.TORCH):
        assert f'"{requirement}"' in text


def test_all_is_installed_once_and_verified_with_a_real_computation(missing, torch_extension, monkeypatch):
    asked = []

    def pipEnsure(packages, requester):
        asked.append(([package.name for package in packages], requester))
        missing.clear()

    monkeypatch.setattr(dependencies, "_pipEnsure", pipEnsure)
    ensureDependencies("AIDE Segmentation")
    assert torch_extension.calls == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}]
    assert asked == [(["safetensors", "scikit-image"], "AIDE Segmentation")]
    ensureDependencies("AIDE Segmentation")
    assert len(asked) == 1


def test_a_second_click_while_packages_are_installed_installs_nothing(missing, torch_extension, monkeypatch):
    asked = []

    def pipEnsure(packages, requester):
        asked.append(requester)
        with pytest.raises(MissingPackagesError, match="being installed already"):
            ensureDependencies("second click")
        missing.clear()

    monkeypatch.setattr(dependencies, "_pipEnsure", pipEnsure)
    ensureDependencies("first click")
    assert asked == ["first click"]
    assert len(torch_extension.calls) == 1


def test_the_slicer_extension_is_named_where_it_is_missing(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    with pytest.raises(MissingPackagesError, match="Install the extension 'PyTorch'"):
        ensureDependencies("AIDE")


def test_a_refusal_installs_nothing(missing, torch_extension, monkeypatch):
    monkeypatch.setattr(torch_extension.PyTorchUtilsLogic, "outcome", staticmethod(lambda: None))
    monkeypatch.setattr(dependencies, "_pipEnsure", lambda packages, requester: pytest.fail("installed all the same"))
    with pytest.raises(MissingPackagesError, match="Nothing was installed"):
        ensureDependencies("AIDE")


def test_a_refusal_of_packages_is_said(missing, torch_extension, monkeypatch):
    def decline(packages, requester):
        raise RuntimeError("User declined package installation")

    monkeypatch.setattr(dependencies, "_pipEnsure", decline)
    with pytest.raises(MissingPackagesError, match=r"safetensors>=0\.4, scikit-image>=0\.22 nothing can be computed"):
        ensureDependencies("AIDE")


def test_offline_is_said_honestly(missing, torch_extension, monkeypatch):
    def offline(packages, requester):
        raise subprocess.CalledProcessError(1, "pip install")

    monkeypatch.setattr(dependencies, "_pipEnsure", offline)
    with pytest.raises(MissingPackagesError, match="connected to the internet") as caught:
        ensureDependencies("AIDE")
    assert "Traceback" not in str(caught.value)


def test_packages_that_do_not_work_are_noticed(monkeypatch):
    monkeypatch.setattr(dependencies, "CHECK", "raise ImportError('libcudart.so is missing')")
    with pytest.raises(MissingPackagesError, match=r"do not work: ImportError: libcudart\.so is missing"):
        dependencies.verifyDependencies()


def test_slicer_without_its_own_question_is_served_too(monkeypatch):
    installed, answers = [], [False, True]
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, title: answers.pop(0))
    monkeypatch.setattr(slicer.util, "pip_install", installed.append, raising=False)
    with pytest.raises(RuntimeError):
        dependencies._pipEnsure(requirements(), "AIDE")
    assert installed == []
    dependencies._pipEnsure(requirements(), "AIDE")
    assert installed == [[str(requirement) for requirement in requirements()]]
