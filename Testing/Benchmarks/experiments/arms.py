"""Arms that several experiments share. All but the first two groups profit from the same augmentation and averaging."""

from __future__ import annotations

from dataclasses import replace

from Testing.Benchmarks.experiment import Arm
from Testing.Benchmarks.given_labels import GivenLabels

PLAIN_INPUT = {
    "input_rotation": 0.0,
    "input_scaling": 0.0,
    "input_stretch": 0.0,
    "input_warp": 0.0,
    "input_flip": False,
    "input_intensity": 0.0,
}

# What AIDE computes, as a multiple of the epochs of a baseline with one network: of each of its two networks an iteration
# needs a forward and a backward pass (3 forward passes' worth), a pass over the batch to rank it and one for pseudo-labels;
# before that both are pretrained for 10 epochs where the baseline has 6.
LENGTH_OF_AIDE_AND_ITS_PRETRAINING = 6.5
# The same less the pretraining of one network, which a baseline that learns from generated labels makes, too.
LENGTH_OF_AIDE = 4.8
# The same for two networks that are neither ranked nor corrected.
LENGTH_IN_PLANES = 3.2
EPOCHS_IN_PLANES = 16

SUPERVISED = Arm("supervised", "supervised", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL = Arm("conventional", "conventional", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL_AVERAGED = Arm("conventional + EMA", "conventional", changes=PLAIN_INPUT)
SUPERVISED_AUGMENTED = Arm("supervised + EMA + augmented", "supervised")
SUPERVISED_LONGER = replace(
    SUPERVISED_AUGMENTED, name="supervised + EMA + augmented, longer", length=LENGTH_OF_AIDE_AND_ITS_PRETRAINING
)
# Wrong labels that stay as they are would be learned by heart if the input of many cases were changed half as much.
CONVENTIONAL_AUGMENTED = Arm("conventional + EMA + augmented", "conventional", changes={"input_halved_from": 0})
CONVENTIONAL_LONGER = replace(
    CONVENTIONAL_AUGMENTED, name="conventional + EMA + augmented, longer", length=LENGTH_OF_AIDE
)
PSEUDO_LABEL = Arm("pseudo-label", "pseudo-label")
CO_TEACHING = Arm("co-teaching", "co-teaching")
AIDE_PAPER = Arm("AIDE paper", "aide", preset="paper")
AIDE_STANDARD = Arm("AIDE standard", "aide")
# What it owes to networks that see different planes; the same where voxels are no cubes.
AIDE_ONE_PLANE = Arm("AIDE, one plane", "aide", changes={"plane_per_network": False})
# Two networks in two planes see more than one, whatever they learn from: AIDE that has nothing to doubt. From labelled cases
# alone it learns for `pretraining_epochs` longer than it is told to; labels that people made are doubted afterwards alone,
# and with no weight yet in the first epoch of doubt.
SUPERVISED_PLANES = Arm(
    "supervised, two planes, longer", "aide", labels=GivenLabels.LABELLED_CASES_ALONE, length=LENGTH_IN_PLANES
)
CONVENTIONAL_PLANES = Arm(
    "conventional, two planes, longer",
    "aide",
    changes={"pretraining_epochs": EPOCHS_IN_PLANES, "epochs": 1, "input_halved_from": 0},
)
TRUE_LABELS = Arm("all true labels", "conventional", labels=GivenLabels.TRUE)
TRUE_LABELS_PLANES = Arm("all true labels, two planes", "aide", labels=GivenLabels.TRUE)

ALL = (
    SUPERVISED,
    CONVENTIONAL,
    CONVENTIONAL_AVERAGED,
    SUPERVISED_AUGMENTED,
    SUPERVISED_LONGER,
    CONVENTIONAL_AUGMENTED,
    CONVENTIONAL_LONGER,
    PSEUDO_LABEL,
    CO_TEACHING,
    AIDE_PAPER,
    AIDE_STANDARD,
    AIDE_ONE_PLANE,
    SUPERVISED_PLANES,
    CONVENTIONAL_PLANES,
    TRUE_LABELS,
    TRUE_LABELS_PLANES,
)

# There is nothing of high quality to learn from.
POINTLESS_WITHOUT_HQA = frozenset(
    arm.name for arm in (SUPERVISED, SUPERVISED_AUGMENTED, SUPERVISED_LONGER, SUPERVISED_PLANES)
)
# The unlabelled cases would have no label that people made.
POINTLESS_WITH_UNLABELLED = frozenset({CONVENTIONAL_PLANES.name})
