"""Checkpoints: the state of a stage after an epoch, exactly, so that a resumed run equals an unbroken one."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from AIDELib.container import Container, ContainerError, MemoryShortage, read_container, write_container
from AIDELib.errors import RunError
from AIDELib.joint_opinion import STEPS
from AIDELib.json_document import text
from AIDELib.learner import Learner
from AIDELib.stage import Stage

_DOCUMENT = "checkpoint.json"

_log = logging.getLogger(__name__)

# The one before the newest stays until the newest is complete, and for the case that its disk block fails.
KEPT = 2


def save_checkpoint(folder: Path, stage: Stage, given_labels: Tensor, selection: dict[str, Any]) -> None:
    """Write a checkpoint of a stage and remove those that are no longer needed.

    Args:
        given_labels: (N, H, W) labels that the stage started with.
        selection: what model selection remembers, JSON values; its "trends" are lists of as many numbers for each case.
    """
    # Numbers that grow with cases and epochs: as text they would pass what a document may hold.
    tensors = {"labels": {"given": given_labels}, "corrections": {}}
    if "trends" in selection:
        tensors["trends"] = {"agreement": torch.tensor(selection["trends"], dtype=torch.float64)}
    for position, (learner, label_set) in enumerate(zip(stage.learners, stage.label_sets, strict=True)):
        tensors[f"network{position + 1}"] = dict(learner.network.state_dict())
        if learner.predictor is not learner.network:
            tensors[f"average{position + 1}"] = dict(learner.predictor.state_dict())
        tensors[f"optimizer{position + 1}"] = _optimizer_tensors(learner)
        tensors["labels"][f"network{position + 1}"] = label_set.labels
        tensors[f"calibration{position + 1}"] = {"offsets": learner.offsets}
        tensors["corrections"][f"network{position + 1}"] = _case_epoch_pairs(label_set.corrected_at)
    if stage.opinion is not None:
        tensors["labels"]["opinion"] = stage.opinion.labels
        for position, share in enumerate(stage.opinion.shares):
            tensors["labels"][f"opinion{position + 1}"] = share
    document = {
        "stage": stage.index,
        "epoch": stage.epoch,
        "steps": [learner.steps for learner in stage.learners],
        "cases": len(stage.slices.cases),
        "selection": {name: value for name, value in selection.items() if name != "trends"},
    }
    write_container(folder / _name(stage.index, stage.epoch), _DOCUMENT, Container(document, tensors))
    for outdated in checkpoint_files(folder)[:-KEPT]:
        outdated.unlink()


def checkpoint_files(folder: Path) -> list[Path]:
    """Return the checkpoints of a run, oldest first."""
    return sorted(path for path in folder.glob("*.zip") if re.fullmatch(r"stage\d-epoch\d{6}\.zip", path.name))


def load_newest_checkpoint(folder: Path) -> Container | None:
    """Return the newest checkpoint that is whole; None where there is none. The log tells which ones are not.

    Its document has "corrected_at", for each network and case the epochs after which the labels were rewritten, and in
    "selection" the "trends" that were saved.

    Every part of a checkpoint has a CRC-32 and a SHA-256, so that a torn file, a flipped bit and a part of another
    checkpoint are told from a whole one.

    Raises:
        RunError: there are checkpoints, but none can be read.
    """
    reasons = []
    is_short_of_memory = False
    for path in reversed(checkpoint_files(folder)):
        try:
            checkpoint = read_container(path, _DOCUMENT)
            _restore_lists(checkpoint)
            _require_parts(checkpoint)
        except (ContainerError, OSError) as error:
            reasons.append(f"{path.name}: {error}")
            is_short_of_memory |= isinstance(error, MemoryShortage)
            continue
        if reasons:
            _log.warning(
                "%s cannot be used (%s); the training goes on from the one before, %s.",
                folder,
                "; ".join(reasons),
                path.name,
            )
        return checkpoint
    if is_short_of_memory:
        raise RunError(
            f"No checkpoint in {folder} can be read now ({'; '.join(reasons)}). The finished epochs are kept: close other "
            "programs, or give the process more memory, and resume."
        )
    if reasons:
        raise RunError(f"No checkpoint in {folder} can be read ({'; '.join(reasons)}). Start the run anew.")
    return None


def restore_stage(stage: Stage, checkpoint: Container) -> None:
    """Bring a newly made stage into the state that was saved.

    Raises:
        RunError: the checkpoint is of other networks or other cases.
    """
    try:
        for position, (learner, label_set) in enumerate(zip(stage.learners, stage.label_sets, strict=True)):
            learner.network.load_state_dict(checkpoint.tensors[f"network{position + 1}"])
            if learner.predictor is not learner.network:
                learner.predictor.load_state_dict(checkpoint.tensors[f"average{position + 1}"])
            _restore_optimizer(learner, checkpoint.tensors[f"optimizer{position + 1}"])
            learner.offsets.copy_(checkpoint.tensors[f"calibration{position + 1}"]["offsets"])
            learner.steps = checkpoint.document["steps"][position]
            _restore_labels(label_set.labels, checkpoint, f"network{position + 1}", stage.structure_count)
            if len(checkpoint.document["corrected_at"][position]) != len(label_set.corrected_at):
                raise ValueError("another number of cases")
            label_set.corrected_at = checkpoint.document["corrected_at"][position]
        if stage.opinion is not None:
            _restore_labels(stage.opinion.labels, checkpoint, "opinion", stage.structure_count)
            for position, share in enumerate(stage.opinion.shares):
                _restore_labels(share, checkpoint, f"opinion{position + 1}", STEPS)
        stage.epoch = checkpoint.document["epoch"]
    except (KeyError, IndexError, ValueError, TypeError, RuntimeError) as error:
        raise RunError(
            f"The checkpoint does not fit the run ({error}). Were cases or settings changed since? Start a new run."
        ) from None


def _case_epoch_pairs(corrected_at: Sequence[Sequence[int]]) -> Tensor:
    """Return a line (case, epoch) for each correction."""
    pairs = [(case, epoch) for case, epochs in enumerate(corrected_at) for epoch in epochs]
    return torch.tensor(pairs, dtype=torch.int32).reshape(-1, 2)


def _restore_lists(checkpoint: Container) -> None:
    """Put what was saved as tensors back into the document.

    Raises:
        ContainerError: it is missing or damaged.
    """
    document, tensors = checkpoint.document, checkpoint.tensors
    try:
        count = document["cases"]
        # A case has at least one slice.
        if type(count) is not int or not 0 < count <= len(tensors["labels"]["given"]):
            raise ValueError(f"{count!r} cases")
        document["corrected_at"] = [
            _epochs_of_cases(pairs, count) for _, pairs in sorted(tensors["corrections"].items())
        ]
        if document["selection"]:
            trends = tensors["trends"]["agreement"]
            if trends.shape != (count, document["epoch"]) or not trends.is_floating_point():
                raise ValueError(f"trends of {list(trends.shape)}")
            document["selection"]["trends"] = trends.tolist()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContainerError(f"its description is damaged ({error!r})") from None


def _epochs_of_cases(pairs: Tensor, count: int) -> list[list[int]]:
    if pairs.dtype is not torch.int32 or pairs.dim() != 2 or pairs.shape[1] != 2:
        raise ValueError(f"corrections of {list(pairs.shape)}")
    epochs: list[list[int]] = [[] for _ in range(count)]
    for case, epoch in pairs.tolist():
        if not 0 <= case < count:
            raise ValueError(f"case {case} of {count}")
        epochs[case].append(epoch)
    return epochs


def _restore_labels(own: Tensor, checkpoint: Container, name: str, highest: int) -> None:
    saved = checkpoint.tensors["labels"][name]
    if saved.shape != own.shape or int(saved.max()) > highest:
        raise ValueError(f"labels of {list(saved.shape)} for {list(own.shape)}")
    own.copy_(saved)


def _require_parts(checkpoint: Container) -> None:
    """Refuse a checkpoint that lacks what a run goes on from, or has it in another form.

    Raises:
        ContainerError: it does.
    """
    document = checkpoint.document
    try:
        whole_numbers = [
            document["stage"],
            document["epoch"],
            *document["steps"],
            *(epoch for own in document["corrected_at"] for epochs in own for epoch in epochs),
        ]
        if any(type(number) is not int or number < 0 for number in whole_numbers):
            raise ValueError("a number of epochs or steps that is none")
        if document["selection"]:
            float(document["selection"]["best"]["best_score"])
            for case in document["selection"].get("decided", []):
                text(case)
        labels = checkpoint.tensors["labels"]
        if "given" not in labels or any(tensor.dtype is not torch.uint8 for tensor in labels.values()):
            raise ValueError("labels that are none")
    except (KeyError, TypeError, ValueError) as error:
        raise ContainerError(f"its description is damaged ({error!r})") from None


def _name(stage: int, epoch: int) -> str:
    return f"stage{stage}-epoch{epoch:06d}.zip"


def _optimizer_tensors(learner: Learner) -> dict[str, Tensor]:
    state = learner.optimizer.state_dict()["state"]
    return {f"{index}/{name}": torch.as_tensor(value) for index, own in state.items() for name, value in own.items()}


def _restore_optimizer(learner: Learner, tensors: dict[str, Tensor]) -> None:
    parameters = learner.optimizer.param_groups[0]["params"]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split("/")
        parameter = parameters[int(index)]
        if tensor.dim() and tensor.shape != parameter.shape:
            raise ValueError(f"moments of {list(tensor.shape)} for weights of {list(parameter.shape)}")
        state.setdefault(int(index), {})[name] = _laid_out_like(parameter, tensor)
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    # The fused optimizer goes through memory as it lies: moments in another order would meet other weights.
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor
