"""The quantities that tables report."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """A column of a table.

    `quantity` is the name under which an evaluation records the value. The two differ where a value may only
    carry the metric's name in the right feature space: a `frechet_distance` is an FID with Inception weights only.
    `noise` says whether the spread between seeds is a number of units or, where it grows with the value, a share of it.
    """

    key: str
    label: str
    quantity: str
    better: Literal["higher", "lower"]
    unit: str = ""
    decimals: int = 2
    noise: Literal["absolute", "relative"] = "absolute"

    def measured(self, value: float) -> str:
        """Return a measured value with the metric's decimals; what is not finite by its name."""
        return f"{value:.{self.decimals}f}" if isfinite(value) else str(value).replace("nan", "NaN")

    def reported(self, value: float | None) -> str:
        """Return a value as printed in a paper: with the metric's decimals, or more where it has more; `-` for None."""
        if value is None:
            return "-"
        rounded = self.measured(value)
        return rounded if float(rounded) == value else repr(value)


ACCURACY = Metric("accuracy", "Acc", "accuracy", better="higher", unit="%", decimals=1)
INCEPTION_SCORE = Metric("inception_score", "IS", "class_score", better="higher")
FID = Metric("fid", "FID", "frechet_distance", better="lower", decimals=1, noise="relative")
BPD = Metric("bpd", "BPD", "bits_per_dim", better="lower")
