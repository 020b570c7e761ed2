"""Decides claims: whether each contrast of measured cells is within its bounds, given the noise between seeds."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.claims import Claim, Contrast, Term
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.scale import Scale
from harness.report.results.contrasts import ContrastEstimate, DeclaredSpread, Estimator
from harness.report.results.presuppositions import Finding
from harness.report.results.series import Series, SeriesKey
from harness.report.results.statistics import CONFIDENCE
from harness.report.results.verdicts import ROUNDING


class ClaimStatus(StrEnum):
    """The status of a claim or of one of its contrasts."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    BEYOND = "beyond this scale"

    @property
    def decided(self) -> bool:
        """Whether the measurements say that the claim holds or fails."""
        return self in (ClaimStatus.HOLDS, ClaimStatus.FAILS)

    def counted(self, count: int) -> str:
        """Return a number of claims with the status in words, such as `1 holds` and `2 hold`."""
        return f"{count} {self if count == 1 else self.removesuffix('s')}"


@dataclass(frozen=True)
class CellValue:
    """The value of a cell with its number of seeds, zero for a value that the paper cites."""

    row: str
    metric: Metric
    mean: float
    seeds: int = 0


@dataclass(frozen=True)
class ContrastResult:
    """A contrast as measured, with its status by intervals at `level`."""

    contrast: Contrast
    estimated: ContrastEstimate
    level: float
    status: ClaimStatus

    @property
    def estimate(self) -> float:
        """The value of the contrast."""
        return self.estimated.value

    @property
    def half_width(self) -> float:
        """The half-width of the interval that decides whether the contrast holds."""
        return self.estimated.half_width(self.level)

    @property
    def interval(self) -> tuple[float, float]:
        """The interval that decides whether the contrast holds."""
        return self.estimate - self.half_width, self.estimate + self.half_width

    @property
    def lies_outside(self) -> bool:
        """Whether the interval lies outside of the bounds."""
        return _compare(self.contrast, self.estimate, self.half_width, self.half_width) is ClaimStatus.FAILS


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its status and evidence.

    `printed` is the status by the paper's own values, None if it does not print them. `reason` says why the claim is
    undecided, or fails without a contrast, if its contrasts do not; it is also the reason of a scale that names it.
    `declared` has the spreads that only the scale declares, since no row has two seeds. `missing` are rows that are not
    measured yet, `without_spread` those that need a second seed, because no noise is known of their kind. `findings`
    are its presuppositions as measured; none at a comparable scale.
    """

    claim: Claim
    status: ClaimStatus
    printed: ClaimStatus | None
    contrasts: tuple[ContrastResult, ...] = ()
    values: tuple[CellValue, ...] = ()
    reason: str = ""
    declared: tuple[DeclaredSpread, ...] = ()
    missing: tuple[str, ...] = ()
    without_spread: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide(
    claim: Claim, exhibit: Exhibit, series: Mapping[SeriesKey, Series], scale: Scale, level: float = CONFIDENCE
) -> ClaimResult:
    """Return the status of a claim by the measurements of an exhibit.

    A contrast holds if its whole interval at `level` is inside the bounds. It fails if none of the interval at
    1 - (1 - level) / k is, for a claim of k contrasts: one that fails is enough, so each may err less often. The noise
    between seeds is that of `Estimator`; a claim of which it is unknown is undecided. Rows without a run have the
    values that the paper cites; beside measured rows these count only at a scale with comparable values.
    """
    terms = {(term.row, term.metric): term for term in claim.terms()}
    rows = {row for row, _ in terms}
    found = {cell: _value(term, exhibit, series) for cell, term in terms.items()}
    known = tuple(value for value in found.values() if value is not None)
    cited = sorted(row for row in rows if exhibit.row(row).run is None)
    printed = decide_printed(claim, exhibit)

    def undecided(reason: str, values: tuple[CellValue, ...] = known) -> ClaimResult:
        return ClaimResult(claim, ClaimStatus.UNDECIDED, printed, (), values, reason)

    if cited and len(cited) < len(rows) and not scale.comparable:
        return undecided(f"cited values are comparable at paper scale only: {', '.join(cited)}", ())
    if missing := sorted({row for (row, _), value in found.items() if value is None}):
        measurable = tuple(row for row in missing if exhibit.row(row).run is not None)
        return replace(undecided(f"not measured yet: {', '.join(missing)}"), missing=measurable)
    if not all(isfinite(value.mean) for value in known):
        return ClaimResult(claim, ClaimStatus.FAILS, printed, (), known, "a measured value is not finite")
    if metric := _without_common_measure(terms.values(), series):
        return undecided(f"the {metric.label} values of these rows are from different feature spaces")
    estimator = Estimator(claim, exhibit, series, scale)
    if unknown := estimator.rows_without_spread():
        says = f"the spread between seeds is unknown for {', '.join(unknown)}: run --seeds 3"
        return replace(undecided(says), without_spread=tuple(unknown))
    if apart := estimator.rows_without_common_seed():
        return undecided(f"not measured with a common seed: {', '.join(apart)}")
    k = len(claim.contrasts)
    contrasts = tuple(_judge(contrast, estimator.estimate(contrast), level, k) for contrast in claim.contrasts)
    statuses = {contrast.status for contrast in contrasts}
    return ClaimResult(claim, _worst(statuses), printed, contrasts, known, declared=estimator.declared_alone())


def decide_printed(claim: Claim, exhibit: Exhibit) -> ClaimStatus | None:
    """Return the status of a claim by the paper's own values, None if one of them is not printed.

    Values that are equal as printed decide nothing: their difference is in the digits that the paper omits.
    """

    def value(term: Term) -> float | None:
        return exhibit.reported_value(exhibit.row(term.row), term.metric)

    if any(value(term) is None for term in claim.terms()):
        return None
    return _worst({_compare(contrast, _weigh(contrast, value), ROUNDING, ROUNDING) for contrast in claim.contrasts})


def _worst(statuses: Collection[ClaimStatus]) -> ClaimStatus:
    """Return the status of a conjunction of contrasts."""
    return next(
        (status for status in (ClaimStatus.FAILS, ClaimStatus.UNDECIDED) if status in statuses), ClaimStatus.HOLDS
    )


def _value(term: Term, exhibit: Exhibit, series: Mapping[SeriesKey, Series]) -> CellValue | None:
    """Return the value of a term's cell, None if it is not measured."""
    row = exhibit.row(term.row)
    if row.run is None:
        reported = exhibit.reported_value(row, term.metric)
        return None if reported is None else CellValue(term.row, term.metric, reported)
    found = series.get((term.row, term.metric.key, PAPER_PROTOCOL))
    if found is None:
        return None
    return CellValue(term.row, term.metric, found.mean, len(found.values))


def _without_common_measure(terms: Iterable[Term], series: Mapping[SeriesKey, Series]) -> Metric | None:
    """Return a metric whose values in these terms are not comparable, such as those of several feature spaces."""
    measures: dict[Metric, set[tuple[str, tuple[str, ...]]]] = {}
    for term in terms:
        if found := series.get((term.row, term.metric.key, PAPER_PROTOCOL)):
            _, measure, spaces = found.measure
            # Values in several spaces have no mean, and those of several datasets may be compared.
            measures.setdefault(term.metric, set()).update((measure, (space,)) for space in spaces or ("",))
    return next((metric for metric, found in measures.items() if len(found) > 1), None)


def _judge(contrast: Contrast, estimate: ContrastEstimate, level: float, k: int) -> ContrastResult:
    """Judge one of the `k` contrasts of a claim."""
    inside, outside = estimate.half_width(level), estimate.half_width(1 - (1 - level) / k)
    return ContrastResult(contrast, estimate, level, _compare(contrast, estimate.value, inside, outside))


def _weigh(contrast: Contrast, value: Callable[[Term], float | None]) -> float:
    return sum(term.weight * (value(term) or 0.0) for term in contrast.terms)


def _compare(contrast: Contrast, centre: float, inside: float, outside: float) -> ClaimStatus:
    """Return the status of a contrast by the half-widths that have to lie inside and outside of its bounds."""
    if contrast.low <= centre - inside and centre + inside <= contrast.high:
        return ClaimStatus.HOLDS
    if centre + outside < contrast.low or centre - outside > contrast.high:
        return ClaimStatus.FAILS
    return ClaimStatus.UNDECIDED
