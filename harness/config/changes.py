"""Changes that a scale makes to a size: divide, multiply, bound, replace or set."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from harness.errors import SpecError


class Change(ABC):
    """A change of a value. None means that a feature is off, and stays None."""

    @abstractmethod
    def __call__(self, value: Any) -> Any:
        """Return the changed value. Raises `SpecError` for a value of an unsupported type."""

    def factor(self, value: float) -> float:
        """Return the factor applied to a number, before rounding."""
        return float(self(value) / value) if value else 1.0


class NumericChange(Change):
    """A change of a number, or of every number in a tuple."""

    def __call__(self, value: Any) -> Any:
        """Return the changed number, or the tuple of changed numbers."""
        if value is None:
            return None
        if isinstance(value, tuple | list):
            return tuple(map(self, value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"{self} applies to numbers, not {value!r}")
        return self.number(value)

    @abstractmethod
    def number(self, value: float) -> float:
        """Return the changed number."""


@dataclass(frozen=True)
class Division(NumericChange):
    """Division; integers are rounded down."""

    by: float

    def __str__(self) -> str:
        return f"over({self.by:g})"

    def number(self, value: float) -> float:
        """Return the quotient."""
        return _at_least_one(int(value // self.by), value) if isinstance(value, int) else value / self.by

    def factor(self, value: float) -> float:
        """Return the reciprocal of the divisor."""
        return 1 / self.by


@dataclass(frozen=True)
class Multiplication(NumericChange):
    """Multiplication; integers are rounded to the nearest."""

    by: float

    def __str__(self) -> str:
        return f"times({self.by:g})"

    def number(self, value: float) -> float:
        """Return the product."""
        return _at_least_one(round(value * self.by), value) if isinstance(value, int) else value * self.by

    def factor(self, value: float) -> float:
        """Return the multiplier."""
        return self.by


@dataclass(frozen=True)
class Bound(NumericChange):
    """An upper bound."""

    most: float

    def __str__(self) -> str:
        return f"at_most({self.most:g})"

    def number(self, value: float) -> float:
        """Return the smaller of the value and the bound."""
        return min(value, self.most)


@dataclass(frozen=True)
class Replacement(Change):
    """Replacement of values, looked up by their string form."""

    others: Mapping[str, Any]

    def __str__(self) -> str:
        return f"swap({dict(self.others)})"

    def __call__(self, value: Any) -> Any:
        """Return the replacement, or the value itself if there is none."""
        return value if value is None else self.others.get(str(value), value)


@dataclass(frozen=True)
class Fixed(Change):
    """A fixed value, whatever the old one."""

    value: Any

    def __str__(self) -> str:
        return repr(self.value)

    def __call__(self, value: Any) -> Any:
        """Return the fixed value."""
        return value if value is None else self.value


def over(divisor: float) -> Change:
    """Return a division: integers are rounded down, to at least 1.

    Raises `SpecError` unless the divisor is positive.
    """
    if not (isfinite(divisor) and divisor > 0):
        raise SpecError(f"over({divisor}): the divisor must be above 0")
    return Division(divisor)


def times(factor: float) -> Change:
    """Return a multiplication: integers are rounded to the nearest, to at least 1.

    Raises `SpecError` for a negative factor.
    """
    if not (isfinite(factor) and factor >= 0):
        raise SpecError(f"times({factor}): the factor must be 0 or more")
    return Multiplication(factor)


def at_most(bound: float) -> Change:
    """Return an upper bound; smaller values are unchanged."""
    return Bound(bound)


def swap(others: Mapping[str, Any]) -> Change:
    """Return a replacement of some values, such as `{"cifar10": "digits"}`; others are unchanged."""
    return Replacement(others)


KEEP: Change = Multiplication(1)
"""No change: exempts a field from a more general rule."""


def _at_least_one(number: int, before: float) -> int:
    """Return `number`, but at least 1 if the value was at least 1 before."""
    return max(number, 1) if before >= 1 else number
