"""Verdicts on measured values against reported ones. docs/verdicts.md explains the rules."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from harness.registry.metrics import Metric
from harness.registry.row import Reported, Source, Words
from harness.registry.tolerances import Tolerance
from harness.report.results.statistics import Prediction

ROUNDING = 1e-9
"""Absolute slack for floating-point rounding in comparisons."""
WITHIN_THE_SPREAD = "outside the tolerance, inside the 95 % prediction interval"


class Verdict(StrEnum):
    """The verdict on a cell; a verdict in lower case says why nothing was compared."""

    FAIL = "FAIL"
    XPASS = "XPASS"
    INCONCLUSIVE = "INCONCLUSIVE"
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
    `prediction` is None if nothing was compared, or if one seed is measured and no spread is known.
    """

    verdict: Verdict
    difference: float | None = None
    tolerance: float | None = None
    parts: tuple[str, ...] = ()
    reason: str = ""
    prediction: Prediction | None = None

    @property
    def by_tolerance_alone(self) -> bool:
        """Whether the difference was compared with the tolerance alone: one seed, and no known spread."""
        return self.difference is not None and self.prediction is None

    @property
    def closely(self) -> bool:
        """Whether a cell passes with the whole 90 % interval of its mean within the tolerance."""
        if self.verdict is not Verdict.PASS or self.difference is None or self.tolerance is None:
            return False
        return self.prediction is not None and self.prediction.is_equivalent(self.difference, self.tolerance)

    @property
    def qualifier(self) -> str:
        """The word beside the verdict: `closely`, `one seed`, or none."""
        return "closely" if self.closely else "one seed" if self.by_tolerance_alone else ""

    @property
    def chance_of_fail(self) -> float | None:
        """The probability that an honest rerun is FAIL, None if nothing was compared or no spread is known."""
        if self.tolerance is None or self.prediction is None:
            return None
        return self.prediction.chance_of_fail(self.tolerance)

    def __str__(self) -> str:
        """Format the verdict as `PASS`, `PASS, closely` or `FAIL, one seed`."""
        return ", ".join(filter(None, (self.verdict.value, self.qualifier)))


def judge(
    metric: Metric,
    reported: Reported,
    mean: float | None,
    rule: VerdictRule,
    waiting: int = 0,
    prediction: Prediction | None = None,
) -> Judgement:
    """Return the verdict on the mean over the measured seeds, with `waiting` more seeds requested.

    A difference beyond the tolerance is a FAIL if it also exceeds the 95 % prediction interval; without a
    `prediction`, the tolerance alone decides. A value that is not finite fails at every scale, whatever was reported.
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
    verdict, reason = _verdict(abs(difference) <= tolerance + ROUNDING, rule.expected), rule.expected
    if verdict is Verdict.FAIL and prediction and abs(difference) <= prediction.half_width() + ROUNDING:
        verdict, reason = Verdict.INCONCLUSIVE, WITHIN_THE_SPREAD
    return Judgement(verdict, difference, tolerance, rule.tolerance.explain(reported, metric), reason, prediction)


def judge_setting(reported: Reported, configured: str, rule: VerdictRule) -> Judgement:
    """Return the verdict on a hyper-parameter: whether it is configured as printed."""
    if not rule.comparable:
        return Judgement(Verdict.NOT_COMPARED, reason="settings are comparable at paper scale only")
    return Judgement(_verdict(str(reported).casefold() == configured.casefold(), rule.expected), reason=rule.expected)


def _verdict(met: bool, expected: str) -> Verdict:
    if expected:
        return Verdict.XPASS if met else Verdict.XFAIL
    return Verdict.PASS if met else Verdict.FAIL
