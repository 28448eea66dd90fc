"""The experiments by name, one small file each."""

from __future__ import annotations

from Testing.Benchmarks.experiment import Experiment
from Testing.Benchmarks.experiments import (
    acdc,
    annotation_curve,
    chaos,
    hippocampus,
    label_audit,
    qubiq_kidney,
    retina,
)

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        hippocampus.EXPERIMENT,
        acdc.EXPERIMENT,
        qubiq_kidney.EXPERIMENT,
        retina.DOMAINS,
        retina.RATERS,
        chaos.EXPERIMENT,
        annotation_curve.EXPERIMENT,
        label_audit.EXPERIMENT,
    )
}
