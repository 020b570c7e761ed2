"""Decides claims: whether each contrast of measured cells is within its bounds, given the noise between seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, sqrt

import numpy as np

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.claims import Claim, Contrast, Term
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.scale import Scale, Spread
from harness.report.results.series import Series, SeriesKey
from harness.report.results.statistics import CONFIDENCE
from harness.report.results.verdicts import ROUNDING

OwnSeries = Mapping[tuple[str, str], Series]
"""The series of the paper's protocol, by the keys of rows and metrics."""


class ClaimStatus(StrEnum):
    """The status of a claim or of one of its contrasts."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"

    def counted(self, count: int) -> str:
        """Return a number of claims with the status in words, such as `1 holds` and `2 hold`."""
        return f"{count} {self if count == 1 else self.removesuffix('s')}"


@dataclass(frozen=True)
class CellEstimate:
    """The value of a cell with its standard error and number of seeds, both zero for a value that the paper cites."""

    row: str
    metric: Metric
    mean: float
    standard_error: float = 0.0
    df: float = inf
    seeds: int = 0


@dataclass(frozen=True)
class ContrastResult:
    """A contrast as measured: its estimate, the half-width of its interval, and its status."""

    contrast: Contrast
    estimate: float
    half_width: float
    status: ClaimStatus


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its status and evidence.

    `printed` is the status by the paper's own values, None if it does not print them. `reason` says why the claim is
    undecided, or fails without a contrast.
    """

    claim: Claim
    status: ClaimStatus
    printed: ClaimStatus | None
    contrasts: tuple[ContrastResult, ...] = ()
    values: tuple[CellEstimate, ...] = ()
    reason: str = ""


def decide(claim: Claim, exhibit: Exhibit, series: Mapping[SeriesKey, Series], scale: Scale) -> ClaimResult:
    """Return the status of a claim by the measurements of an exhibit.

    A contrast holds if its whole 95 % interval is inside the bounds, and fails if none of it is. The noise is the
    standard deviation between seeds, pooled over the rows of the claim with the same data and feature space and with
    the spread that the scale declares. Without either, the claim is undecided. Rows without a run have the values that
    the paper cites; beside measured rows these count only at a scale with comparable values.
    """
    terms = {(term.row, term.metric): term for term in claim.terms()}
    rows = {row for row, _ in terms}
    own = {
        (row, key): found for (row, key, reading), found in series.items() if reading == PAPER_PROTOCOL and row in rows
    }
    estimates = {cell: _estimate(term, exhibit, own, scale) for cell, term in terms.items()}
    known = tuple(estimate for estimate in estimates.values() if estimate is not None)
    cited = sorted(row for row in rows if exhibit.row(row).run is None)
    printed = decide_printed(claim, exhibit)

    def undecided(reason: str, values: tuple[CellEstimate, ...] = known) -> ClaimResult:
        return ClaimResult(claim, ClaimStatus.UNDECIDED, printed, (), values, reason)

    if cited and len(cited) < len(rows) and not scale.comparable:
        return undecided(f"cited values are comparable at paper scale only: {', '.join(cited)}", ())
    if missing := sorted({row for (row, _), estimate in estimates.items() if estimate is None}):
        return undecided(f"not measured yet: {', '.join(missing)}")
    if not all(isfinite(estimate.mean) for estimate in known):
        return ClaimResult(claim, ClaimStatus.FAILS, printed, (), known, "a measured value is not finite")
    if metric := _without_common_measure(terms.values(), own):
        return undecided(f"the {metric.label} values of these rows are from different feature spaces")
    if any(estimate.standard_error == inf for estimate in known):
        return undecided("the spread between seeds is unknown: run --seeds 3")
    contrasts = tuple(_contrast_result(contrast, estimates) for contrast in claim.contrasts)
    statuses = {contrast_result.status for contrast_result in contrasts}
    if ClaimStatus.FAILS in statuses:
        return ClaimResult(claim, ClaimStatus.FAILS, printed, contrasts, known)
    if ClaimStatus.UNDECIDED in statuses:
        return ClaimResult(
            claim, ClaimStatus.UNDECIDED, printed, contrasts, known, "differences within the noise between seeds"
        )
    return ClaimResult(claim, ClaimStatus.HOLDS, printed, contrasts, known)


def decide_printed(claim: Claim, exhibit: Exhibit) -> ClaimStatus | None:
    """Return the status of a claim by the paper's own values, None if one of them is not printed.

    Values that are equal as printed decide nothing: their difference is in the digits that the paper omits.
    """

    def value(term: Term) -> float | None:
        return exhibit.reported_value(exhibit.row(term.row), term.metric)

    if any(value(term) is None for term in claim.terms()):
        return None
    statuses = {_compare(contrast, _weigh(contrast, value), ROUNDING) for contrast in claim.contrasts}
    return next(
        (status for status in (ClaimStatus.FAILS, ClaimStatus.UNDECIDED) if status in statuses), ClaimStatus.HOLDS
    )


def seed_spread(metric: Metric, groups: Iterable[Sequence[float]], declared: Spread | None) -> Spread | None:
    """Return the standard deviation between seeds, pooled over groups of values and with the declared one.

    For a metric with relative noise the values are divided by the mean of their group. Groups with values that are not
    finite are ignored.
    """
    df, squares = (declared.df, declared.df * declared.sd**2) if declared else (0, 0.0)
    for values in map(np.asarray, groups):
        if len(values) > 1 and np.isfinite(values).all():
            unit = np.abs(values.mean()) if metric.noise == "relative" else 1.0
            df += len(values) - 1
            squares += float((len(values) - 1) * (values.std(ddof=1) / unit) ** 2)
    return Spread(sqrt(squares / df), df) if df else None


def _estimate(term: Term, exhibit: Exhibit, own: OwnSeries, scale: Scale) -> CellEstimate | None:
    """Return the estimate of a term's cell, None if it is not measured; an unknown standard error is infinite."""
    row, metric = exhibit.row(term.row), term.metric
    if row.run is None:
        reported = exhibit.reported_value(row, metric)
        return None if reported is None else CellEstimate(term.row, metric, reported)
    found = own.get((term.row, metric.key))
    if found is None:
        return None
    mean, seeds = sum(found.values) / len(found.values), len(found.values)
    if metric.noise == "none":
        return CellEstimate(term.row, metric, mean, seeds=seeds)
    alike = (other.values for (_, key), other in own.items() if key == metric.key and other.measure == found.measure)
    spread = seed_spread(metric, alike, scale.spread.get((found.data, metric.key)))
    if spread is None:
        return CellEstimate(term.row, metric, mean, standard_error=inf, seeds=seeds)
    sd = spread.sd * abs(mean) if metric.noise == "relative" else spread.sd
    return CellEstimate(term.row, metric, mean, sd / sqrt(seeds), spread.df, seeds)


def _without_common_measure(terms: Iterable[Term], own: OwnSeries) -> Metric | None:
    """Return a metric whose values in these terms are not comparable, such as those of several feature spaces."""
    measures: dict[Metric, set[tuple[str, tuple[str, ...]]]] = {}
    for term in terms:
        if found := own.get((term.row, term.metric.key)):
            _, measure, spaces = found.measure
            # Values in several spaces have no mean, and those of several datasets may be compared.
            measures.setdefault(term.metric, set()).update((measure, (space,)) for space in spaces or ("",))
    return next((metric for metric, found in measures.items() if len(found) > 1), None)


def _contrast_result(contrast: Contrast, estimates: Mapping[tuple[str, Metric], CellEstimate | None]) -> ContrastResult:
    from scipy.stats import t

    by_term = {term: estimate for term in contrast.terms if (estimate := estimates[term.row, term.metric])}
    centre = _weigh(contrast, lambda term: by_term[term].mean)
    error = sqrt(sum((term.weight * estimate.standard_error) ** 2 for term, estimate in by_term.items()))
    # The smallest number of degrees of freedom gives the widest interval.
    df = min(estimate.df for estimate in by_term.values())
    half_width = max(float(t.ppf((1 + CONFIDENCE) / 2, df)) * error, ROUNDING) if error else ROUNDING
    return ContrastResult(contrast, centre, half_width, _compare(contrast, centre, half_width))


def _weigh(contrast: Contrast, value: Callable[[Term], float | None]) -> float:
    return sum(term.weight * (value(term) or 0.0) for term in contrast.terms)


def _compare(contrast: Contrast, centre: float, half_width: float) -> ClaimStatus:
    """Return the status of an interval with respect to the bounds of a contrast."""
    low, high = centre - half_width, centre + half_width
    if contrast.low <= low and high <= contrast.high:
        return ClaimStatus.HOLDS
    if high < contrast.low or low > contrast.high:
        return ClaimStatus.FAILS
    return ClaimStatus.UNDECIDED
