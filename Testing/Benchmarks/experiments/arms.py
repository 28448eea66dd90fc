"""Arms that several experiments share. All but the first two groups profit from the same augmentation and averaging."""

from __future__ import annotations

from dataclasses import replace

from Testing.Benchmarks.experiment import Arm

PLAIN_INPUT = {
    "input_rotation": 0.0,
    "input_scaling": 0.0,
    "input_stretch": 0.0,
    "input_warp": 0.0,
    "input_flip": False,
    "input_intensity": 0.0,
}

# An iteration of AIDE costs at most as much as this many of one network: two networks, each with forward and backward
# pass (3 forward passes' worth), a pass over the batch to rank it, and one over the suspects' half for pseudo-labels.
ARITHMETIC_OF_AIDE = 3.0

SUPERVISED = Arm("supervised", "supervised", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL = Arm("conventional", "conventional", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL_AVERAGED = Arm("conventional + EMA", "conventional", changes=PLAIN_INPUT)
SUPERVISED_AUGMENTED = Arm("supervised + EMA + augmented", "supervised")
CONVENTIONAL_AUGMENTED = Arm("conventional + EMA + augmented", "conventional")
CONVENTIONAL_LONGER = replace(
    CONVENTIONAL_AUGMENTED, name="conventional + EMA + augmented, longer", length=ARITHMETIC_OF_AIDE
)
PSEUDO_LABEL = Arm("pseudo-label", "pseudo-label")
CO_TEACHING = Arm("co-teaching", "co-teaching")
AIDE_PAPER = Arm("AIDE paper", "aide", preset="paper")
AIDE_STANDARD = Arm("AIDE standard", "aide")
TRUE_LABELS = Arm("all true labels", "conventional", true_labels=True)

ALL = (
    SUPERVISED,
    CONVENTIONAL,
    CONVENTIONAL_AVERAGED,
    SUPERVISED_AUGMENTED,
    CONVENTIONAL_AUGMENTED,
    CONVENTIONAL_LONGER,
    PSEUDO_LABEL,
    CO_TEACHING,
    AIDE_PAPER,
    AIDE_STANDARD,
    TRUE_LABELS,
)
