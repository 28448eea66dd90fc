"""The Python packages that computing needs, installed when they are first needed and with the user's consent."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import subprocess
import threading
from pathlib import Path

import slicer
from packaging.requirements import Requirement
from slicer.i18n import tr as _

from AIDELib.errors import AIDEError
from AIDESlicer.background_process import (
    LIBRARY_FOLDER,
    hiddenWindow,
    lastSentence,
    processEnvironment,
    pythonExecutable,
)
from AIDESlicer.worker_thread import whileSlicerAnswers

REQUIREMENTS_FILE = Path(__file__).with_name("requirements.txt")
TORCH = Requirement("torch>=2.4")
# A real computation and a real file: what is installed can still lack a system library or fit another numpy.
CHECK = """
import tempfile, os, numpy, torch, skimage.measure, safetensors.torch
weights = torch.ones(2, 3, requires_grad=True)
(weights @ torch.ones(3, 2)).sum().backward()
assert weights.grad.sum().item() == 12, "wrong result of a matrix product"
assert skimage.measure.label(numpy.eye(2, dtype=int), connectivity=1).max() == 2, "wrong result of labelling"
path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
safetensors.torch.save_file({"weights": weights.detach()}, path)
assert safetensors.torch.load_file(path)["weights"].shape == (2, 3), "wrong content of a file"
"""


_installation = threading.Lock()


class MissingPackagesError(AIDEError):
    """Packages are missing, and the user does not want them, or they cannot be had."""


def ensureDependencies(requester: str) -> None:
    """Install what computing needs, asking first; afterwards verify it with a real computation. Nothing is done twice.

    Call it in the action that needs the packages, on the main thread. They are used by background processes alone; this
    Slicer needs no restart for them.

    Args:
        requester: the module's title, shown in the question.

    Raises:
        MissingPackagesError: with what to do about it, for the user.
    """
    packages = missingPackages()
    torchMissing = not isInstalled(TORCH)
    if not packages and not torchMissing:
        return
    # Slicer takes clicks while pip writes its lines, and the next one may be on the same button.
    if not _installation.acquire(blocking=False):
        raise MissingPackagesError(_("The packages are being installed already. Wait until that is done."))
    try:
        # PyTorch first: it is the one that may not be to be had, and nothing is installed in vain then.
        if torchMissing:
            _installTorch()
        if packages:
            _installPackages(packages, requester)
        verifyDependencies()
    finally:
        _installation.release()


def requirements() -> list[Requirement]:
    """Return the packages needed besides PyTorch."""
    lines = [line.strip() for line in REQUIREMENTS_FILE.read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def missingPackages() -> list[Requirement]:
    """Return the packages besides PyTorch that are missing or too old."""
    return [requirement for requirement in requirements() if not isInstalled(requirement)]


def isInstalled(requirement: Requirement) -> bool:
    """Return whether a package is installed in a suitable version; it is not imported."""
    importlib.invalidate_caches()
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def verifyDependencies() -> None:
    """Compute something with the packages in a process like those that train and segment.

    Raises:
        MissingPackagesError: it fails.
    """
    command, environment = [pythonExecutable(), "-c", CHECK], processEnvironment()
    with slicer.util.WaitCursor():
        result = whileSlicerAnswers(
            lambda: subprocess.run(
                command,
                cwd=LIBRARY_FOLDER,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                **hiddenWindow(),
            )
        )
    if result.returncode:
        logging.error("The installed packages do not work:\n%s", result.stderr)
        last = lastSentence(result.stderr) or f"exit code {result.returncode}"
        raise MissingPackagesError(
            _(
                "The packages are installed, but do not work: {reason}. Uninstall PyTorch in the module PyTorch Util, "
                "restart Slicer, and try again."
            ).format(reason=last)
        )


def _installTorch() -> None:
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        raise MissingPackagesError(
            _(
                "PyTorch, which does the computing, is not installed. Install the extension 'PyTorch' in the Extensions "
                "Manager (menu View), restart Slicer, and try again."
            )
        ) from None
    try:
        installed = PyTorchUtils.PyTorchUtilsLogic().installTorch(
            askConfirmation=True, torchVersionRequirement=str(TORCH.specifier)
        )
    except Exception as error:
        logging.exception("Installing PyTorch failed")
        raise MissingPackagesError(_failure("PyTorch", error)) from None
    if installed is None:
        raise MissingPackagesError(_("Without PyTorch nothing can be computed. Nothing was installed."))


def _installPackages(packages: list[Requirement], requester: str) -> None:
    names = ", ".join(str(package) for package in packages)
    try:
        _pipEnsure(packages, requester)
    except RuntimeError:
        raise MissingPackagesError(
            _("Without the packages {names} nothing can be computed. They were not installed.").format(names=names)
        ) from None
    except (subprocess.CalledProcessError, OSError) as error:
        logging.exception("Installing packages failed")
        raise MissingPackagesError(_failure(names, error)) from None


def _pipEnsure(packages: list[Requirement], requester: str) -> None:
    try:
        from slicer.packaging import pip_ensure
    except ImportError:
        # Slicer before 5.12 only knows how to install, not how to ask.
        question = _("{requester} needs the Python packages {names}. Install them into Slicer now?").format(
            requester=requester, names=", ".join(str(package) for package in packages)
        )
        if not slicer.util.confirmOkCancelDisplay(question, requester):
            raise RuntimeError("declined") from None
        with slicer.util.WaitCursor():
            slicer.util.pip_install([str(package) for package in packages])
        return
    pip_ensure(packages, requester=requester)


def _failure(names: str, error: Exception) -> str:
    return _(
        "{names} could not be installed ({reason}). Is this computer connected to the internet? Where it is not, train and "
        "segment on one that is, or ask who looks after this computer to install the packages into Slicer's Python. "
        "Everything else in Slicer works as before."
    ).format(names=names, reason=error)
