"""Decides claims: whether each contrast of measured cells lies where the paper puts it, given the noise of seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt

import pandas as pd

from harness.spec.claims import Claim, Contrast, Term
from harness.spec.metrics import Metric
from harness.spec.scale import Spread

CONFIDENCE = 0.95


class Status(StrEnum):
    """What the measurements say of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Finding:
    """A contrast as measured: its estimate, the half-width of its interval, and its status."""

    contrast: Contrast
    estimate: float
    half_width: float
    status: Status


@dataclass(frozen=True)
class Decision:
    """A claim, its status, and what decides it. `reason` says why it stays undecided."""

    claim: Claim
    status: Status
    findings: tuple[Finding, ...]
    values: tuple[tuple[Term, float], ...]
    reason: str = ""


def decide(claim: Claim, frame: pd.DataFrame, declared: Mapping[str, Spread]) -> Decision:
    """Return what the measurements of a table say of a claim.

    A contrast holds when its whole 95 % interval lies inside the bounds, and fails when none of it does. The noise
    is the standard deviation between seeds, pooled over the rows of the table; with a single seed it is the one
    that the scale declares. Without either, nothing is decided.
    """
    values = _means(claim, frame)
    missing = sorted({term.row for term, mean in values.items() if mean is None})
    known = tuple((term, mean) for term, mean in values.items() if mean is not None)
    if missing:
        return Decision(claim, Status.UNDECIDED, (), known, f"not measured yet: {', '.join(missing)}")
    if not all(isfinite(mean) for _, mean in known):
        return Decision(claim, Status.FAILS, (), known, "a measured value is not finite")
    spreads = {metric.key: seed_spread(metric, frame, declared) for metric in {term.metric for term in claim.terms()}}
    if None in spreads.values():
        return Decision(claim, Status.UNDECIDED, (), known, "the spread between seeds is unknown: run --seeds 3")
    findings = tuple(_find(contrast, values, frame, spreads) for contrast in claim.contrasts)
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


def _means(claim: Claim, frame: pd.DataFrame) -> dict[Term, float | None]:
    """Return the mean over seeds of every cell of the claim, each cell once."""
    means: dict[Term, float | None] = {}
    for term in claim.terms():
        cell = Term(1.0, term.row, term.metric)
        values = _values(cell, frame)
        means[cell] = float(values.mean(skipna=False)) if len(values) else None
    return means


def _find(
    contrast: Contrast,
    means: Mapping[Term, float | None],
    frame: pd.DataFrame,
    spreads: Mapping[str, Spread | None],
) -> Finding:
    from scipy.stats import t

    estimate, variance, df = 0.0, 0.0, 0
    for term in contrast.terms:
        spread, mean = spreads[term.metric.key], means[Term(1.0, term.row, term.metric)]
        assert spread is not None and mean is not None
        estimate += term.weight * mean
        sd = spread.sd * abs(mean) if term.metric.noise == "relative" else spread.sd
        variance += (term.weight * sd) ** 2 / len(_values(term, frame))
        df = spread.df if df == 0 else min(df, spread.df)
    half_width = float(t.ppf((1 + CONFIDENCE) / 2, df)) * sqrt(variance)
    low, high = estimate - half_width, estimate + half_width
    if contrast.low <= low and high <= contrast.high:
        return Finding(contrast, estimate, half_width, Status.HOLDS)
    if high < contrast.low or low > contrast.high:
        return Finding(contrast, estimate, half_width, Status.FAILS)
    return Finding(contrast, estimate, half_width, Status.UNDECIDED)


def _values(term: Term, frame: pd.DataFrame) -> "pd.Series[float]":
    return frame.loc[(frame["row"] == term.row) & (frame["metric"] == term.metric.key), "value"]
