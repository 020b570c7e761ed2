"""The evidence for claims in words: values, formulas with their intervals, seeds and reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from harness.registry.digits import MOST_EXTRA, fixed, justified, told_apart
from harness.registry.metrics import Metric
from harness.registry.scale import Spread
from harness.report.results.claims import ClaimResult, ClaimStatus, ContrastResult
from harness.report.results.report import ExhibitReport
from harness.report.writers.contrast_formula import Formulas
from harness.report.writers.presuppositions import unmet
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
    """Return the measured values and contrasts behind a claim, and why it is not decided, if it is not."""
    formulas = Formulas(result, report.exhibit, report.label)
    return ClaimEvidence(
        tuple(_values(formulas, report)),
        tuple(f"{formulas.formula(found.contrast)} = {_interval(found)}" for found in result.contrasts),
        tuple(_remarks(result, formulas)),
    )


def _open(result: ClaimResult, formulas: Formulas) -> str:
    """Return the contrasts whose intervals reach over a bound, by formula if the claim has several."""
    k = len(result.contrasts)
    found = [one for one in result.contrasts if one.status is ClaimStatus.UNDECIDED]
    if k == 1:
        return "the interval reaches over a bound"
    over, outside = (
        [formulas.formula(one.contrast) for one in found if one.lies_outside is lies_outside]
        for lies_outside in (False, True)
    )
    parts = []
    if over:
        reach = "reaches over its bound" if len(over) == 1 else "reach over their bounds"
        parts.append(f"{len(over)} of {k} intervals {reach}: {', '.join(over)}")
    if outside:
        usual, level = (f"{100 * one:.4g} %" for one in (found[0].level, 1 - (1 - found[0].level) / k))
        parts.append(
            f"outside of its bounds at {usual}, but not at {level} as one of {k} contrasts: {', '.join(outside)}"
        )
    return "; ".join(parts)


def _values(formulas: Formulas, report: ExhibitReport) -> Iterator[str]:
    """Yield the values behind a claim by metric, or only their number if there are too many."""
    found = formulas.values(report.digits.number)
    if (number := sum(map(len, found.values()))) > MOST_VALUES:
        yield f"From {number} values of the table"
    else:
        yield from (f"{name}: {', '.join(values)}" for name, values in found.items())


def _interval(found: ContrastResult) -> str:
    """Return the estimate with its interval and the claimed range.

    They have the decimals that the half-width justifies, and more if an end would be printed like a claimed bound.
    """
    usual = min(term.metric.decimals for term in found.contrast.terms)
    is_exact = not found.estimated.standard_error and not found.estimated.rounding
    shown = justified(found.estimate, None if is_exact else found.half_width, usual)
    bounds = (found.contrast.low, found.contrast.high)
    shown = told_apart(found.interval, bounds, shown, shown + MOST_EXTRA)
    estimate, low, high = (fixed(value, shown) for value in (found.estimate, *found.interval))
    if is_exact:
        return f"{estimate} ({_claimed(found)})"
    if not found.estimated.standard_error:
        return f"{estimate}, {low} to {high} by the rounding of cited values ({_claimed(found)})"
    return f"{estimate}, {100 * found.level:.4g} % interval {low} to {high} ({_claimed(found)})"


def _declared(result: ClaimResult, formulas: Formulas) -> str:
    """Return the declared spreads by metric, and by kind of model if there are several."""
    several = len({found.kind for found in result.declared}) > 1
    spreads = [
        f"{formulas.label(found.metric)}{f' of {found.kind}' if several else ''} {_spread(found.metric, found.spread)}"
        for found in result.declared
    ]
    return ", ".join(dict.fromkeys(spreads))


def _spread(metric: Metric, spread: Spread) -> str:
    """Return a declared spread with two digits, and the degrees of freedom with which it counts."""
    sd = f"{100 * spread.sd:.2g} %" if metric.noise == "relative" else f"{spread.sd:.2g} {metric.unit}".rstrip()
    return f"{sd} ({spread.df:g} {'degree' if spread.df == 1 else 'degrees'} of freedom)"


def _claimed(found: ContrastResult) -> str:
    """Return the claimed range, and the side on which a contrast misses a range with two ends."""
    low, high = found.contrast.low, found.contrast.high
    if low == -inf:
        return f"claimed < {high:g}"
    if high == inf:
        return f"claimed > {low:g}"
    missed = f"; it is {'higher' if found.estimate > high else 'lower'}" if found.status is ClaimStatus.FAILS else ""
    return f"claimed {low:g} to {high:g}{missed}"


def reason(result: ClaimResult, formulas: Formulas) -> str:
    """Return why a claim is undecided or beyond the scale, or fails without a contrast; empty otherwise."""
    if result.status is ClaimStatus.BEYOND:
        return result.reason or "; ".join(unmet(result, formulas.label))
    if result.reason or result.status is not ClaimStatus.UNDECIDED:
        return result.reason
    return _open(result, formulas)


def _remarks(result: ClaimResult, formulas: Formulas) -> Iterator[str]:
    if seeds := sorted({value.seeds for value in result.values if value.seeds}):
        yield f"Seeds: {span(seeds[0], seeds[-1])}"
    if result.declared:
        yield f"Noise as declared at this scale: {_declared(result, formulas)}"
    if found := reason(result, formulas):
        yield found[0].upper() + found[1:]
    if result.printed is ClaimStatus.FAILS:
        yield "The paper's own printed values contradict it"
    elif result.printed is ClaimStatus.UNDECIDED:
        yield "The paper's own printed values are equal"
