"""The quantities that exhibits report."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from harness.config.evaluations import Norm
from harness.errors import SpecError


@dataclass(frozen=True)
class Metric:
    """A column of a table.

    `quantity` is the name under which an evaluation records the value. The two differ where a value may only
    carry the metric's name in the right feature space: a `frechet_distance` is an FID with Inception weights only.
    `noise` says whether the spread between seeds is a number of units, a share of the value where it grows with it,
    or none because the value is exact.
    """

    key: str
    label: str
    quantity: str
    better: Literal["higher", "lower", "neither"]
    unit: str = ""
    decimals: int = 2
    noise: Literal["absolute", "relative", "none"] = "absolute"

    def measured(self, value: float) -> str:
        """Return a measured value with the metric's decimals, or two digits where these would show none.

        What is not finite is called by its name.
        """
        if not isfinite(value):
            return str(value).replace("nan", "NaN")
        if 0 < abs(value) < 10**-self.decimals:
            return f"{value:.2g}"
        return f"{value:z.{self.decimals}f}"

    def reported(self, value: object, sd: float | None = None) -> str:
        """Return a value as printed in a paper: with the metric's decimals, or more where it has more; `-` for None.

        Its standard deviation stands behind it, with decimals by the same rule.
        """
        if value is None:
            return "-"
        if not isinstance(value, int | float):
            return str(value)
        rounded = self.measured(value)
        text = rounded if float(rounded) == value else repr(value)
        return text if sd is None else f"{text} ± {self.reported(sd)}"


ACCURACY = Metric("accuracy", "Acc", "accuracy", better="higher", unit="%", decimals=1)
INCEPTION_SCORE = Metric("inception_score", "IS", "class_score", better="higher")
FID = Metric("fid", "FID", "frechet_distance", better="lower", decimals=1, noise="relative")
_secondary: dict[str, Metric] = {}


def secondary(metric: Metric) -> Metric:
    """Let a metric report its quantity where an evaluation names it among its `secondary` ones; return the metric.

    Raises `SpecError` when another metric reports the quantity already.
    """
    owner = _secondary.setdefault(metric.quantity, metric)
    if owner != metric:
        raise SpecError(f"the quantity '{metric.quantity}' is reported by the metric '{owner.key}' already")
    return metric


def secondary_metric(quantity: str) -> Metric:
    """Return the metric that reports a secondary quantity, one of the quantity's own name where nobody gave another."""
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
MINUTES_PER_EPOCH = Metric("minutes_per_epoch", "Min/Epoch", "minutes_per_epoch", better="lower", noise="relative")
RUNTIME_HOURS = Metric(
    "runtime_hours", "Runtime", "runtime_hours", better="lower", unit="h", decimals=1, noise="relative"
)
RUNTIME_TEXT = Metric("runtime_text", "Runtime", "gpu_hours", better="lower", decimals=1, noise="relative")
"""Its values, where the words mean any, are GPU-hours."""
VALUE = Metric("value", "Value", "value", better="neither", noise="none")


def robustness(norm: str, epsilon: int) -> Metric:
    """Return the metric of accuracy under attack within `epsilon` / 255 of the image, in pixels of the range 0 to 1."""
    key = f"robust_{norm}_{epsilon}"
    return Metric(key, f"{Norm.of_kind(norm).sign} {epsilon}/255", key, better="higher", unit="%", decimals=1)
