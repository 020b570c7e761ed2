"""Decides claims: whether each contrast of measured cells lies where the paper puts it, given the noise of seeds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, sqrt

import pandas as pd

from harness.spec.claims import Claim, Contrast, Term
from harness.spec.evaluations import measure_of
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import Metric
from harness.spec.scale import Scale, Spread

CONFIDENCE = 0.95
ROUNDING = 1e-9


class Status(StrEnum):
    """What values say of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Estimate:
    """The value of a cell with its standard error over so many seeds; a value that the paper cites has neither."""

    row: str
    metric: Metric
    mean: float
    standard_error: float = 0.0
    df: float = inf
    seeds: int = 0


@dataclass(frozen=True)
class Finding:
    """A contrast as measured: its estimate, the half-width of its interval, and its status."""

    contrast: Contrast
    estimate: float
    half_width: float
    status: Status


@dataclass(frozen=True)
class Decision:
    """A claim, its status, and what decides it.

    `printed` is what the paper's own values say of it, None where it prints none. `reason` says why the claim stays
    undecided, or fails without a contrast.
    """

    claim: Claim
    status: Status
    printed: Status | None
    findings: tuple[Finding, ...] = ()
    values: tuple[Estimate, ...] = ()
    reason: str = ""


def decide(claim: Claim, exhibit: Exhibit, frame: pd.DataFrame, scale: Scale) -> Decision:
    """Return what the measurements of an exhibit say of a claim.

    A contrast holds when its whole 95 % interval lies inside the bounds, and fails when none of it does. The noise
    is the standard deviation between seeds, pooled over those rows of the claim that have the same data, and with the
    one that the scale declares. Without either, nothing is decided. Rows without a run stand with the values that the
    paper cites; beside measured rows these mean something only where values compare.
    """
    terms = {(term.row, term.metric): term for term in claim.terms()}
    lines = frame[(frame["reading"] == "") & frame["row"].isin({row for row, _ in terms})]
    estimates = {cell: _estimate(term, exhibit, lines, scale) for cell, term in terms.items()}
    known = tuple(estimate for estimate in estimates.values() if estimate is not None)
    cited = sorted({row for row, _ in terms if exhibit.row(row).run is None})
    printed = decide_printed(claim, exhibit)

    def undecided(reason: str, values: tuple[Estimate, ...] = known) -> Decision:
        return Decision(claim, Status.UNDECIDED, printed, (), values, reason)

    if cited and len(cited) < len({row for row, _ in terms}) and not scale.comparable:
        return undecided(f"cited values compare at paper scale only: {', '.join(cited)}", ())
    if missing := sorted({row for (row, _), estimate in estimates.items() if estimate is None}):
        return undecided(f"not measured yet: {', '.join(missing)}")
    if not all(isfinite(estimate.mean) for estimate in known):
        return Decision(claim, Status.FAILS, printed, (), known, "a measured value is not finite")
    if metric := _without_common_measure(terms.values(), lines):
        return undecided(f"the {metric.label} of these rows are measured in different feature spaces")
    if any(estimate.standard_error == inf for estimate in known):
        return undecided("the spread between seeds is unknown: run --seeds 3")
    findings = tuple(_find(contrast, estimates) for contrast in claim.contrasts)
    statuses = {finding.status for finding in findings}
    if Status.FAILS in statuses:
        return Decision(claim, Status.FAILS, printed, findings, known)
    if Status.UNDECIDED in statuses:
        return Decision(claim, Status.UNDECIDED, printed, findings, known, "differences within the noise between seeds")
    return Decision(claim, Status.HOLDS, printed, findings, known)


def decide_printed(claim: Claim, exhibit: Exhibit) -> Status | None:
    """Return what the paper's own values say of a claim, None where one of them is not printed.

    Values that are equal as printed decide nothing: their difference is in the digits that the paper leaves out.
    """

    def value(term: Term) -> float | None:
        return exhibit.reported_value(exhibit.row(term.row), term.metric)

    if any(value(term) is None for term in claim.terms()):
        return None
    statuses = {_compare(contrast, _weigh(contrast, value), ROUNDING) for contrast in claim.contrasts}
    return next((status for status in (Status.FAILS, Status.UNDECIDED) if status in statuses), Status.HOLDS)


def seed_spread(
    metric: Metric, data: str, lines: pd.DataFrame, declared: Mapping[tuple[str, str], Spread]
) -> Spread | None:
    """Return the standard deviation between seeds, pooled over the rows with this data and with the declared one.

    For a metric with relative noise it is that of the values divided by the mean of their row.
    """
    groups = lines[(lines["metric"] == metric.key) & (lines["data"] == data)].groupby("row")["value"]
    counts, deviations = groups.count(), groups.std(ddof=1)
    if metric.noise == "relative":
        deviations = deviations / groups.mean().abs()
    repeated = counts > 1
    df = int((counts[repeated] - 1).sum())
    squares = float(((counts[repeated] - 1) * deviations[repeated] ** 2).sum())
    if known := declared.get((data, metric.key)):
        df, squares = df + known.df, squares + known.df * known.sd**2
    return Spread(sqrt(squares / df), df) if df else None


def _estimate(term: Term, exhibit: Exhibit, lines: pd.DataFrame, scale: Scale) -> Estimate | None:
    """Return the value of a term's cell, None while it is not measured; its error is infinite when unknown."""
    row, metric = exhibit.row(term.row), term.metric
    if row.run is None:
        reported = exhibit.reported_value(row, metric)
        return None if reported is None else Estimate(term.row, metric, reported)
    of_cell = lines[(lines["row"] == term.row) & (lines["metric"] == metric.key)]
    if of_cell.empty:
        return None
    mean, seeds = float(of_cell["value"].mean(skipna=False)), len(of_cell)
    if metric.noise == "none":
        return Estimate(term.row, metric, mean, seeds=seeds)
    spread = seed_spread(metric, str(of_cell["data"].iloc[0]), lines, scale.spread)
    if spread is None:
        return Estimate(term.row, metric, mean, standard_error=inf, seeds=seeds)
    sd = spread.sd * abs(mean) if metric.noise == "relative" else spread.sd
    return Estimate(term.row, metric, mean, sd / sqrt(seeds), spread.df, seeds)


def _without_common_measure(terms: Iterable[Term], lines: pd.DataFrame) -> Metric | None:
    """Return a metric whose values in these terms are measured differently, such as in several feature spaces."""
    labels: dict[Metric, set[str]] = {}
    for term in terms:
        of_cell = lines[(lines["row"] == term.row) & (lines["metric"] == term.metric.key)]
        labels.setdefault(term.metric, set()).update(map(measure_of, of_cell["label"]))
    return next((metric for metric, names in labels.items() if len(names) > 1), None)


def _find(contrast: Contrast, estimates: Mapping[tuple[str, Metric], Estimate | None]) -> Finding:
    from scipy.stats import t

    by_term = {term: estimate for term in contrast.terms if (estimate := estimates[term.row, term.metric])}
    centre = _weigh(contrast, lambda term: by_term[term].mean)
    error = sqrt(sum((term.weight * estimate.standard_error) ** 2 for term, estimate in by_term.items()))
    df = min(estimate.df for estimate in by_term.values())
    half_width = max(float(t.ppf((1 + CONFIDENCE) / 2, df)) * error, ROUNDING) if error else ROUNDING
    return Finding(contrast, centre, half_width, _compare(contrast, centre, half_width))


def _weigh(contrast: Contrast, value: Callable[[Term], float | None]) -> float:
    return sum(term.weight * (value(term) or 0.0) for term in contrast.terms)


def _compare(contrast: Contrast, centre: float, half_width: float) -> Status:
    """Return where an interval lies with respect to the bounds of a contrast."""
    low, high = centre - half_width, centre + half_width
    if contrast.low <= low and high <= contrast.high:
        return Status.HOLDS
    if high < contrast.low or low > contrast.high:
        return Status.FAILS
    return Status.UNDECIDED
