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

# How much longer an arm has to be in order to compute about what AIDE does, which trains two networks and lets both predict
# all training cases after each epoch. One network on few cases; one network on all cases, which it predicts, too; two
# networks on few cases.
LENGTH_ON_FEW_CASES = 2.44
LENGTH_ON_ALL_CASES = 1.8
LENGTH_IN_PLANES = 1.8
EPOCHS_IN_PLANES = 16

SUPERVISED = Arm("supervised", "supervised", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL = Arm("conventional", "conventional", changes={**PLAIN_INPUT, "averaging": 0.0})
CONVENTIONAL_AVERAGED = Arm("conventional + EMA", "conventional", changes=PLAIN_INPUT)
SUPERVISED_AUGMENTED = Arm("supervised + EMA + augmented", "supervised")
SUPERVISED_LONGER = replace(
    SUPERVISED_AUGMENTED, name="supervised + EMA + augmented, longer", length=LENGTH_ON_FEW_CASES
)
# Wrong labels that stay as they are would be learned by heart if the input of many cases were changed half as much.
CONVENTIONAL_AUGMENTED = Arm("conventional + EMA + augmented", "conventional", changes={"input_halved_from": 0})
CONVENTIONAL_LONGER = replace(
    CONVENTIONAL_AUGMENTED, name="conventional + EMA + augmented, longer", length=LENGTH_ON_ALL_CASES
)
PSEUDO_LABEL = Arm("pseudo-label", "pseudo-label")
CO_TEACHING = Arm("co-teaching", "co-teaching")
AIDE_PAPER = Arm("AIDE paper", "aide", preset="paper")
AIDE_STANDARD = Arm("AIDE standard", "aide")
# What it owes to networks that see different planes; the same where voxels are no cubes.
AIDE_ONE_PLANE = Arm("AIDE, one plane", "aide", changes={"plane_per_network": False})
# Two networks in two planes see more than one, whatever they learn from: AIDE that has nothing to doubt, or whose doubt
# has no weight yet in its first epoch, which is the last one.
SUPERVISED_PLANES = Arm(
    "supervised, two planes, longer", "aide", labels=GivenLabels.LABELLED_CASES_ALONE, length=LENGTH_IN_PLANES
)
CONVENTIONAL_PLANES = Arm(
    "conventional, two planes, longer",
    "aide",
    changes={
        "pretraining_epochs": EPOCHS_IN_PLANES,
        "trusting_epochs": EPOCHS_IN_PLANES,
        "epochs": 1,
        "input_halved_from": 0,
    },
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
