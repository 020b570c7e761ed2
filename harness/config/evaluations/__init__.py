"""Evaluation configurations: a protocol with all its settings, and the quantities that it measures."""

from harness.config.evaluations.base import PROTOCOL, Evaluation, Work, measure_of
from harness.config.evaluations.classification import (
    Accuracy,
    Calibration,
    LogDensity,
    MaxProbability,
    OutOfDistribution,
    Score,
)
from harness.config.evaluations.cost import Runtime, Size
from harness.config.evaluations.generation import Generation, Likelihood
from harness.config.evaluations.readings import reading_of
from harness.config.evaluations.robustness import L2, LInf, Norm, Robustness

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
