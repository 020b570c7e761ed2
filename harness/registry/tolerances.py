"""Tolerances: how far a measured value may lie from the reported one, and what that allows for."""

from dataclasses import dataclass

from harness.registry.metrics import Metric


@dataclass(frozen=True)
class Allowance:
    """A part of a tolerance in units of the metric, as a share of the reported value, or both; zero says: looked at."""

    why: str
    absolute: float = 0.0
    relative: float = 0.0

    def around(self, reported: float) -> float:
        """Return the difference that this part allows for around a reported value."""
        return self.absolute + self.relative * abs(reported)


@dataclass(frozen=True)
class Tolerance:
    """The allowances of a metric, which add up."""

    parts: tuple[Allowance, ...]

    def around(self, reported: float) -> float:
        """Return the largest difference from a reported value that passes."""
        return sum(part.around(reported) for part in self.parts)

    def explain(self, reported: float, metric: Metric) -> tuple[str, ...]:
        """Return the parts in words, such as `0.2 for seed spread: ...`."""
        return tuple(f"{metric.measured(part.around(reported))} for {part.why}" for part in self.parts)
