"""An iteration asks the device for nothing, which would leave a GPU without work meanwhile."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from AIDELib.epoch_cost import create_epoch
from AIDELib.presets import PAPER, STANDARD
from AIDELib.seeding import derived_generator

SMALL = {"network_width": 2, "batch_size": 4}
# What these return, or the size of it, must be known before the program can go on.
ASKING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::is_nonzero"}


class Questions(TorchDispatchMode):
    """Remembers how many numbers were asked for, or looked through for an answer."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.name() in ASKING or (
            function.name().startswith("aten::index.")
            and any(own is not None and own.dtype is torch.bool for own in args[1])
        ):
            self.asked.append((function.name(), args[0].dtype, args[0].numel()))
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("settings", [PAPER.replace(**SMALL), STANDARD.replace(**SMALL)], ids=["paper", "standard"])
def test_an_iteration_asks_for_nothing_but_the_flags_of_its_samples(settings):
    stage = create_epoch(settings, 32, 1, 1, 8, torch.device("cpu"))
    generator = derived_generator(0)
    with Questions() as questions:
        losses = stage.method.losses(
            stage.learners, stage.batch([0, 3, 5, 6], generator), settings.warm_up_epochs + 1, generator
        )
        for learner, loss in zip(stage.learners, losses, strict=True):
            learner.step(loss, settings.learning_rate)
    # Which samples are trusted or generated is known on the CPU.
    assert {(dtype, size) for _, dtype, size in questions.asked} <= {(torch.bool, 1), (torch.bool, 4)}, questions.asked
