"""Evaluation configurations: a protocol with all its settings, and the quantities that it measures."""

from harness.spec.evaluations.base import PROTOCOL, Evaluation, Work, measure_of
from harness.spec.evaluations.classification import (
    Accuracy,
    Calibration,
    LogDensity,
    MaxProbability,
    OutOfDistribution,
    Score,
)
from harness.spec.evaluations.cost import Runtime, Size
from harness.spec.evaluations.generation import Generation, Likelihood
from harness.spec.evaluations.readings import reading_of
from harness.spec.evaluations.robustness import L2, LInf, Norm, Robustness

__all__ = [
    "L2",
    "PROTOCOL",
    "Accuracy",
    "Calibration",
    "Evaluation",
    "Generation",
    "LInf",
    "Likelihood",
    "LogDensity",
    "MaxProbability",
    "Norm",
    "OutOfDistribution",
    "Robustness",
    "Runtime",
    "Score",
    "Size",
    "Work",
    "measure_of",
    "reading_of",
]
