"""Verdicts: what a measured cell says about the reported one."""

from enum import StrEnum
from math import isfinite

from harness.spec.paper import Tolerance
from harness.spec.row import Printed, Words


class Verdict(StrEnum):
    """PASS and FAIL compare with the paper; the others say why nothing was compared."""

    PASS = "PASS"
    FAIL = "FAIL"
    DEVIATES = "deviates"
    MISSING = "MISSING"
    NOT_COMPARED = "not compared"
    NOT_REPORTED = "not reported"
    CITED = "cited"


def judge(reported: Printed, measured: float | None, tolerance: Tolerance | None, comparable: bool) -> Verdict:
    """Return the verdict on a cell. A value that is not finite fails, at every scale and whatever was reported."""
    if measured is None:
        return Verdict.MISSING if reported is not None else Verdict.NOT_REPORTED
    if not isfinite(measured):
        return Verdict.FAIL
    if reported is None:
        return Verdict.NOT_REPORTED
    if isinstance(reported, Words) or not comparable or tolerance is None:
        return Verdict.NOT_COMPARED
    return Verdict.PASS if abs(measured - reported) <= tolerance.around(reported) else Verdict.FAIL


def judge_setting(reported: Printed, configured: str, comparable: bool) -> Verdict:
    """Return whether a hyper-parameter is configured as printed; a deliberate deviation is no failure."""
    if not comparable:
        return Verdict.NOT_COMPARED
    return Verdict.PASS if str(reported).casefold() == configured.casefold() else Verdict.DEVIATES
