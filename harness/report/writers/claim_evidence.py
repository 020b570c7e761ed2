"""The evidence for claims in words: values, formulas with their intervals, seeds and reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from harness.report.results.claims import ClaimResult, ClaimStatus, ContrastResult
from harness.report.results.report import ExhibitReport
from harness.report.writers.contrast_formula import Formulas
from harness.report.writers.wording import span

MOST_VALUES = 12


@dataclass(frozen=True)
class ClaimEvidence:
    """The sentences about a claim, without full stops: its values, its contrasts in order, and remarks."""

    values: tuple[str, ...]
    contrasts: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The evidence with a line for each contrast."""
        return [*filter(None, [". ".join(self.values), *self.contrasts, ". ".join(self.remarks)])]

    def __str__(self) -> str:
        return ". ".join(filter(None, [*self.values, "; ".join(self.contrasts), *self.remarks]))


def claim_evidence(result: ClaimResult, report: ExhibitReport) -> ClaimEvidence:
    """Return the measured values and contrasts behind a claim, and why it is undecided, if it is."""
    formulas = Formulas(result, report.exhibit, report.label)
    return ClaimEvidence(
        tuple(_values(formulas)),
        tuple(f"{formulas.formula(found.contrast)} = {_interval(found)}" for found in result.contrasts),
        tuple(_remarks(result)),
    )


def _values(formulas: Formulas) -> Iterator[str]:
    """Yield the values behind a claim by metric, or only their number if there are too many."""
    found = formulas.values()
    if (number := sum(map(len, found.values()))) > MOST_VALUES:
        yield f"From {number} values of the table"
    else:
        yield from (f"{name}: {', '.join(values)}" for name, values in found.items())


def _interval(found: ContrastResult) -> str:
    return f"{_digits(found.estimate, '+')} ± {_digits(found.half_width)} ({_claimed(found)})"


def _claimed(found: ContrastResult) -> str:
    """Return the claimed range, and the side on which a contrast misses a range with two ends."""
    low, high = found.contrast.low, found.contrast.high
    if low == -inf:
        return f"claimed < {high:g}"
    if high == inf:
        return f"claimed > {low:g}"
    missed = f"; it is {'higher' if found.estimate > high else 'lower'}" if found.status is ClaimStatus.FAILS else ""
    return f"claimed {low:g} to {high:g}{missed}"


def _remarks(result: ClaimResult) -> Iterator[str]:
    if seeds := sorted({value.seeds for value in result.values if value.seeds}):
        yield f"Seeds: {span(seeds[0], seeds[-1])}"
    if result.reason:
        yield result.reason[0].upper() + result.reason[1:]
    if result.printed is ClaimStatus.FAILS:
        yield "The paper's own printed values contradict it"
    elif result.printed is ClaimStatus.UNDECIDED:
        yield "The paper's own printed values are equal"


def _digits(value: float, sign: str = "") -> str:
    """Return a number with two decimals, or two significant digits if it is below 0.01."""
    return f"{value:{sign}.2g}" if 0 < abs(value) < 0.01 else f"{value:{sign}.2f}"
