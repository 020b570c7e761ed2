"""The metrics that exhibits report."""

from dataclasses import dataclass
from typing import Literal

from harness.config.evaluations import Norm
from harness.errors import SpecError
from harness.registry.digits import LARGEST_EXACT, alone, fixed

NoiseKind = Literal["absolute", "relative", "none"]


@dataclass(frozen=True)
class Metric:
    """A column of a table.

    `quantity` is the name under which an evaluation records the value. It differs from the metric's name if that name
    requires a feature space: a `frechet_distance` is an FID only with the published Inception weights. `noise` is the
    spread between seeds: absolute in the metric's unit, relative to the value, or none for exact values. A `proportion`
    is the percentage of some items, and has steps of 100 divided by their number. A `timing` depends on the machine.
    """

    key: str
    label: str
    quantity: str
    better: Literal["higher", "lower", "neither"]
    unit: str = ""
    decimals: int = 2
    noise: NoiseKind = "absolute"
    proportion: bool = False
    timing: bool = False

    def measured(self, value: float) -> str:
        """Format a value without uncertainty: with the metric's decimals, or two digits of a value below the last."""
        return fixed(value, alone(value, self.decimals), LARGEST_EXACT)

    def reported(self, value: object, sd: float | None = None) -> str:
        """Format a value as printed in a paper: with the metric's decimals, or more if it has more; `-` for None.

        The standard deviation follows, with decimals by the same rule.
        """
        if value is None:
            return "-"
        if not isinstance(value, int | float):
            return str(value)
        rounded = fixed(value, self.decimals, LARGEST_EXACT)
        text = rounded if float(rounded) == value else repr(value)
        return text if sd is None else f"{text} ± {self.reported(sd)}"


ACCURACY = Metric("accuracy", "Acc", "accuracy", better="higher", unit="%", decimals=1, proportion=True)
INCEPTION_SCORE = Metric("inception_score", "IS", "class_score", better="higher")
FID = Metric("fid", "FID", "frechet_distance", better="lower", decimals=1, noise="relative")
_secondary: dict[str, Metric] = {}


def secondary(metric: Metric) -> Metric:
    """Register a metric to report its quantity for evaluations that list it in `secondary`; return the metric.

    Raises `SpecError` if another metric already reports the quantity.
    """
    owner = _secondary.setdefault(metric.quantity, metric)
    if owner != metric:
        raise SpecError(f"the quantity '{metric.quantity}' is already reported by the metric '{owner.key}'")
    return metric


def secondary_metric(quantity: str) -> Metric:
    """Return the metric that reports a secondary quantity, by default one named after the quantity."""
    return _secondary.get(quantity, Metric(quantity, quantity, quantity, better="neither"))


PRECISION = secondary(Metric("precision", "precision", "precision", better="higher"))
RECALL = secondary(Metric("recall", "recall", "recall", better="higher"))
DENSITY = secondary(Metric("density", "density", "density", better="higher"))
COVERAGE = secondary(Metric("coverage", "coverage", "coverage", better="higher"))
BPD = Metric("bpd", "BPD", "bits_per_dim", better="lower")
ECE = Metric("ece", "ECE", "expected_calibration_error", better="lower", unit="%", decimals=1)
CONFIDENCE_GAP = Metric("confidence_gap", "confidence - Acc", "confidence_gap", better="neither", unit="%", decimals=1)
AUROC_SVHN = Metric("auroc_svhn", "SVHN", "auroc", better="higher")
AUROC_INTERP = Metric("auroc_interp", "Interp", "auroc", better="higher")
AUROC_CIFAR100 = Metric("auroc_cifar100", "CIFAR100", "auroc", better="higher")
AUROC_CELEBA = Metric("auroc_celeba", "CelebA", "auroc", better="higher")
PARAMETERS = Metric("parameters_m", "NoP", "parameters_m", better="neither", unit="M", decimals=1, noise="none")
MINUTES_PER_EPOCH = Metric(
    "minutes_per_epoch", "Min/Epoch", "minutes_per_epoch", better="lower", noise="relative", timing=True
)
RUNTIME_HOURS = Metric(
    "runtime_hours", "Runtime", "runtime_hours", better="lower", unit="h", decimals=1, noise="relative", timing=True
)
RUNTIME_TEXT = Metric("runtime_text", "Runtime", "gpu_hours", better="lower", decimals=1, noise="relative", timing=True)
"""Printed as words; their meaning, if they have one, is in GPU-hours."""
VALUE = Metric("value", "Value", "value", better="neither", noise="none")


def robustness(norm: str, epsilon: int) -> Metric:
    """Return the metric of accuracy under attack with radius `epsilon` / 255, for pixels in [0, 1]."""
    key = f"robust_{norm}_{epsilon}"
    label = f"{Norm.of_kind(norm).sign} {epsilon}/255"
    return Metric(key, label, key, better="higher", unit="%", decimals=1, proportion=True)
