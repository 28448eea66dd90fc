"""An epoch of twice as many slices costs twice as much: counted, not timed."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from AIDELib.epoch_cost import create_epoch, measure_epochs
from AIDELib.presets import PAPER, STANDARD

CPU = torch.device("cpu")
SMALL = {"network_width": 2, "batch_size": 4}


class Elements(TorchDispatchMode):
    """Counts the numbers that torch's operations put out."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        # A view of the whole set computes nothing.
        if not function.is_view:
            self.count += sum(leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor))
        return result


def counts_of_an_epoch(settings, slices):
    stage = create_epoch(settings, 16, 2, 1, slices, CPU)
    passed = {"forward": 0, "predict": 0}
    for learner in stage.learners:
        for name in passed:
            original = getattr(learner, name)

            def counting(images, name=name, original=original):
                passed[name] += len(images)
                return original(images)

            setattr(learner, name, counting)
    with FlopCounterMode(display=False) as operations, Elements() as elements:
        stage.run_epoch(lambda done, total: None)
    return {**passed, "operations": operations.get_total_flops(), "elements": elements.count}


@pytest.mark.parametrize("settings", [PAPER.replace(**SMALL), STANDARD.replace(**SMALL)], ids=["paper", "standard"])
def test_twice_the_slices_cost_twice_as_much(settings):
    one, two = counts_of_an_epoch(settings, 100), counts_of_an_epoch(settings, 200)
    assert one["forward"] == 2 * 100
    for name, count in two.items():
        assert count <= 2.02 * one[name], name
    assert two["operations"] >= 1.9 * one["operations"]


def test_costs_are_measured_for_each_number_of_slices():
    costs = list(measure_epochs(PAPER.replace(**SMALL), 16, 1, 1, [8, 16], CPU))
    assert [cost.slices for cost in costs] == [8, 16]
    assert all(cost.seconds > 0 and cost.cpu_seconds > 0 for cost in costs)
