"""What a scale does to a size: divides it, multiplies it, bounds it, exchanges it, or sets it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from harness.errors import SpecError


class Change(ABC):
    """A change of a value. None, which switches something off, stays None."""

    @abstractmethod
    def __call__(self, value: Any) -> Any:
        """Return the changed value. Raises `SpecError` for a value that cannot be changed like this."""

    def factor(self, value: float) -> float:
        """Return by what a number is multiplied, before it is rounded."""
        return float(self(value) / value) if value else 1.0


class OfNumbers(Change):
    """A change of numbers, or of each number of a tuple."""

    def __call__(self, value: Any) -> Any:
        """Return the changed number, or the tuple of changed numbers."""
        if value is None:
            return None
        if isinstance(value, tuple | list):
            return tuple(map(self, value))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpecError(f"{self} changes numbers, not {value!r}")
        return self.number(value)

    @abstractmethod
    def number(self, value: float) -> float:
        """Return the changed number; a whole one stays whole, and at least 1 where it was."""


@dataclass(frozen=True)
class Division(OfNumbers):
    """A division; whole numbers are rounded down."""

    by: float

    def __str__(self) -> str:
        return f"over({self.by:g})"

    def number(self, value: float) -> float:
        """Return the quotient."""
        return _whole(int(value // self.by), value) if isinstance(value, int) else value / self.by

    def factor(self, value: float) -> float:
        """Return the reciprocal of the divisor."""
        return 1 / self.by


@dataclass(frozen=True)
class Multiplication(OfNumbers):
    """A multiplication; whole numbers are rounded to the nearest."""

    by: float

    def __str__(self) -> str:
        return f"times({self.by:g})"

    def number(self, value: float) -> float:
        """Return the product."""
        return _whole(round(value * self.by), value) if isinstance(value, int) else value * self.by

    def factor(self, value: float) -> float:
        """Return the multiplier."""
        return self.by


@dataclass(frozen=True)
class Bound(OfNumbers):
    """An upper bound."""

    most: float

    def __str__(self) -> str:
        return f"at_most({self.most:g})"

    def number(self, value: float) -> float:
        """Return the smaller of the value and the bound."""
        return min(value, self.most)


@dataclass(frozen=True)
class Exchange(Change):
    """Other values in the place of some, which are given by their names."""

    others: Mapping[str, Any]

    def __str__(self) -> str:
        return f"swap({dict(self.others)})"

    def __call__(self, value: Any) -> Any:
        """Return what stands in the place of a value, the value itself where nothing does."""
        return value if value is None else self.others.get(str(value), value)


@dataclass(frozen=True)
class Fixed(Change):
    """The same value whatever it was."""

    value: Any

    def __str__(self) -> str:
        return repr(self.value)

    def __call__(self, value: Any) -> Any:
        """Return the fixed value."""
        return value if value is None else self.value


def over(divisor: float) -> Change:
    """Return a division: whole numbers are rounded down, to 1 at the least.

    Raises `SpecError` for a divisor that is not above 0.
    """
    if not (isfinite(divisor) and divisor > 0):
        raise SpecError(f"over({divisor}): allowed are divisors above 0")
    return Division(divisor)


def times(factor: float) -> Change:
    """Return a multiplication: whole numbers are rounded to the nearest, to 1 at the least.

    Raises `SpecError` for a factor below 0.
    """
    if not (isfinite(factor) and factor >= 0):
        raise SpecError(f"times({factor}): allowed are factors of 0 or more")
    return Multiplication(factor)


def at_most(bound: float) -> Change:
    """Return an upper bound; what is smaller stays."""
    return Bound(bound)


def swap(others: Mapping[str, Any]) -> Change:
    """Return an exchange of some values, such as `{"cifar10": "digits"}`; others stay."""
    return Exchange(others)


KEEP: Change = Multiplication(1)
"""No change: an exception from a rule for more."""


def _whole(number: int, before: float) -> int:
    """Return a whole number, or 1 where nothing is left of something."""
    return max(number, 1) if before >= 1 else number
