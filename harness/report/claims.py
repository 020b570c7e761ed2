"""Decides claims: whether each contrast of measured cells lies where the paper puts it, given the noise of seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, sqrt

import pandas as pd

from harness.spec.claims import Claim, Contrast, Term
from harness.spec.metrics import Metric
from harness.spec.scale import Scale, Spread
from harness.spec.table import Table

CONFIDENCE = 0.95


class Status(StrEnum):
    """What the measurements say of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Estimate:
    """The value of a cell with its standard error; a value that the paper cites has none."""

    row: str
    metric: Metric
    mean: float
    standard_error: float = 0.0
    df: float = inf


@dataclass(frozen=True)
class Finding:
    """A contrast as measured: its estimate, the half-width of its interval, and its status."""

    contrast: Contrast
    estimate: float
    half_width: float
    status: Status


@dataclass(frozen=True)
class Decision:
    """A claim, its status, and what decides it. `reason` says why it stays undecided, or fails without a contrast."""

    claim: Claim
    status: Status
    findings: tuple[Finding, ...]
    values: tuple[Estimate, ...]
    reason: str = ""


def decide(claim: Claim, table: Table, frame: pd.DataFrame, scale: Scale) -> Decision:
    """Return what the measurements of a table say of a claim.

    A contrast holds when its whole 95 % interval lies inside the bounds, and fails when none of it does. The noise
    is the standard deviation between seeds, pooled over the rows of the table; with a single seed it is the one
    that the scale declares. Without either, nothing is decided. Rows without a run stand with the values that the
    paper cites; beside measured rows these mean something only where values compare.
    """
    cells = {(term.row, term.metric): term for term in claim.terms()}
    spreads = {metric: seed_spread(metric, frame, scale.spread) for _, metric in cells}
    estimates = {cell: _estimate(term, table, frame, spreads[term.metric]) for cell, term in cells.items()}
    known = tuple(estimate for estimate in estimates.values() if estimate is not None)
    cited = {estimate.row for estimate in known if table.row(estimate.row).run is None}

    def undecided(reason: str) -> Decision:
        return Decision(claim, Status.UNDECIDED, (), known, reason)

    if missing := sorted({row for (row, _), estimate in estimates.items() if estimate is None}):
        return undecided(f"not measured yet: {', '.join(missing)}")
    if not all(isfinite(estimate.mean) for estimate in known):
        return Decision(claim, Status.FAILS, (), known, "a measured value is not finite")
    if cited and len(cited) < len({row for row, _ in cells}) and not scale.comparable:
        reason = f"cited values compare at paper scale only: {', '.join(sorted(cited))}"
        return Decision(claim, Status.UNDECIDED, (), (), reason)
    if any(estimate.standard_error == inf for estimate in known):
        return undecided("the spread between seeds is unknown: run --seeds 3")
    findings = tuple(_find(contrast, estimates) for contrast in claim.contrasts)
    statuses = {finding.status for finding in findings}
    if Status.FAILS in statuses:
        return Decision(claim, Status.FAILS, findings, known)
    if Status.UNDECIDED in statuses:
        return Decision(claim, Status.UNDECIDED, findings, known, "differences within the noise between seeds")
    return Decision(claim, Status.HOLDS, findings, known)


def seed_spread(metric: Metric, frame: pd.DataFrame, declared: Mapping[str, Spread]) -> Spread | None:
    """Return the standard deviation between seeds, pooled over rows, or the declared one where seeds are single.

    For a metric with relative noise it is that of the values divided by the mean of their row.
    """
    groups = frame[frame["metric"] == metric.key].groupby("row")["value"]
    counts, deviations = groups.count(), groups.std(ddof=1)
    if metric.noise == "relative":
        deviations = deviations / groups.mean().abs()
    repeated = counts > 1
    df = int((counts[repeated] - 1).sum())
    if df == 0:
        return declared.get(metric.key)
    pooled = float(((counts[repeated] - 1) * deviations[repeated] ** 2).sum() / df)
    return Spread(sqrt(pooled), df)


def _estimate(term: Term, table: Table, frame: pd.DataFrame, spread: Spread | None) -> Estimate | None:
    """Return the value of a term's cell, None while it is not measured; its error is infinite when unknown."""
    row, metric = table.row(term.row), term.metric
    if row.run is None:
        reported = table.reported(row, metric)
        return None if reported is None else Estimate(term.row, metric, reported)
    values = frame.loc[(frame["row"] == term.row) & (frame["metric"] == metric.key), "value"]
    if values.empty:
        return None
    mean = float(values.mean(skipna=False))
    if spread is None:
        return Estimate(term.row, metric, mean, standard_error=inf)
    sd = spread.sd * abs(mean) if metric.noise == "relative" else spread.sd
    return Estimate(term.row, metric, mean, sd / sqrt(len(values)), spread.df)


def _find(contrast: Contrast, estimates: Mapping[tuple[str, Metric], Estimate | None]) -> Finding:
    from scipy.stats import t

    parts = [(term.weight, estimate) for term in contrast.terms if (estimate := estimates[term.row, term.metric])]
    centre = sum(weight * estimate.mean for weight, estimate in parts)
    error = sqrt(sum((weight * estimate.standard_error) ** 2 for weight, estimate in parts))
    df = min(estimate.df for _, estimate in parts)
    half_width = float(t.ppf((1 + CONFIDENCE) / 2, df)) * error
    low, high = centre - half_width, centre + half_width
    if contrast.low <= low and high <= contrast.high:
        return Finding(contrast, centre, half_width, Status.HOLDS)
    if high < contrast.low or low > contrast.high:
        return Finding(contrast, centre, half_width, Status.FAILS)
    return Finding(contrast, centre, half_width, Status.UNDECIDED)
