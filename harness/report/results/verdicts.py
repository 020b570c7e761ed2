"""Verdicts on measured values against reported ones. docs/verdicts.md explains the rules."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from harness.registry.metrics import Metric
from harness.registry.row import Reported, Source, Words
from harness.registry.tolerances import Tolerance

ROUNDING = 1e-9
"""Absolute slack for floating-point rounding in comparisons."""


class Verdict(StrEnum):
    """The verdict on a cell; a verdict in lower case says why nothing was compared."""

    FAIL = "FAIL"
    XPASS = "XPASS"
    PASS = "PASS"
    XFAIL = "XFAIL"
    PARTIAL = "PARTIAL"
    MISSING = "MISSING"
    NOT_COMPARED = "not compared"
    UNCERTAIN = "uncertain"
    CITED = "cited"
    NOT_REPORTED = "not reported"


@dataclass(frozen=True)
class VerdictRule:
    """How to judge a cell: whether its scale is comparable, the tolerance, and the source of the reported value.

    `expected` says why the cell is expected to fail; it is empty if the cell is expected to pass.
    """

    comparable: bool
    tolerance: Tolerance | None = None
    source: Source = "own"
    expected: str = ""


@dataclass(frozen=True)
class Judgement:
    """A verdict with its evidence.

    `difference` is measured minus reported, `tolerance` the largest absolute difference that passes, and `parts` its
    parts; the first two are None if nothing was compared. `reason` says why the verdict is not plain PASS or FAIL.
    """

    verdict: Verdict
    difference: float | None = None
    tolerance: float | None = None
    parts: tuple[str, ...] = ()
    reason: str = ""


def judge(metric: Metric, reported: Reported, mean: float | None, rule: VerdictRule, waiting: int = 0) -> Judgement:
    """Return the verdict on the mean over the measured seeds, with `waiting` more seeds requested.

    A value that is not finite fails at every scale, whatever was reported.
    """
    if mean is not None and not isfinite(mean):
        return Judgement(Verdict.FAIL, reason=f"the measured value is {metric.measured(mean)}")
    if reported is None:
        return Judgement(Verdict.NOT_REPORTED)
    if mean is None:
        return Judgement(Verdict.MISSING, reason="not measured yet")
    if waiting:
        return Judgement(Verdict.PARTIAL, reason=f"{waiting} more seed{'s are' if waiting > 1 else ' is'} requested")
    if rule.source != "own":
        verdict = Verdict.CITED if rule.source == "cited" else Verdict.UNCERTAIN
        return Judgement(verdict, reason="the paper may not have measured this value itself")
    if not rule.comparable:
        return Judgement(Verdict.NOT_COMPARED, reason="values are comparable at paper scale only")
    if isinstance(reported, Words):
        return Judgement(Verdict.NOT_COMPARED, reason="the paper prints words")
    if rule.tolerance is None:
        return Judgement(Verdict.NOT_COMPARED, reason=f"no tolerance is declared for {metric.key}")
    difference, tolerance = mean - reported, rule.tolerance.around(reported)
    verdict = _verdict(abs(difference) <= tolerance + ROUNDING, rule.expected)
    parts = rule.tolerance.explain(reported, metric)
    return Judgement(verdict, difference, tolerance, parts, rule.expected)


def judge_setting(reported: Reported, configured: str, rule: VerdictRule) -> Judgement:
    """Return the verdict on a hyper-parameter: whether it is configured as printed."""
    if not rule.comparable:
        return Judgement(Verdict.NOT_COMPARED, reason="settings are comparable at paper scale only")
    return Judgement(_verdict(str(reported).casefold() == configured.casefold(), rule.expected), reason=rule.expected)


def _verdict(met: bool, expected: str) -> Verdict:
    if expected:
        return Verdict.XPASS if met else Verdict.XFAIL
    return Verdict.PASS if met else Verdict.FAIL
