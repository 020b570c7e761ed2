"""Tolerances: the allowed difference between a measured and a reported value, split by cause."""

from dataclasses import dataclass
from math import sqrt

from harness.registry.metrics import Metric


@dataclass(frozen=True)
class Allowance:
    """A part of a tolerance, in units of the metric, relative to the reported value, or both. Zero means none.

    `at_half` is for percentages: its size at 50 %, which falls towards 0 and 100 % as a binomial standard deviation
    does, with sqrt(p (100 - p)).
    """

    why: str
    absolute: float = 0.0
    relative: float = 0.0
    at_half: float = 0.0

    def around(self, reported: float) -> float:
        """Return the difference that this part allows around a reported value."""
        binomial = sqrt(max(reported * (100 - reported), 0.0)) / 50
        return self.absolute + self.relative * abs(reported) + self.at_half * binomial


@dataclass(frozen=True)
class Tolerance:
    """The allowances of a metric, which are summed."""

    parts: tuple[Allowance, ...]

    def around(self, reported: float) -> float:
        """Return the largest passing difference from a reported value."""
        return sum(part.around(reported) for part in self.parts)

    def explain(self, reported: float, metric: Metric) -> tuple[str, ...]:
        """Describe each part with three digits at most, such as `0.2 for seed spread: ...`."""
        sizes = (float(f"{part.around(reported):.3g}") for part in self.parts)
        return tuple(f"{metric.reported(size)} for {part.why}" for size, part in zip(sizes, self.parts, strict=True))
