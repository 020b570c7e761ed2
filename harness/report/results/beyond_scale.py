"""Claims that a scale cannot decide: its runs lack what they presuppose, or the scale names them."""

from dataclasses import replace
from math import isfinite

from harness.registry.exhibit import Exhibit
from harness.registry.scale import Scale
from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.presuppositions import Presuppositions


def apply_presuppositions(
    result: ClaimResult, exhibit: Exhibit, scale: Scale, presuppositions: Presuppositions
) -> ClaimResult:
    """Return a claim with its measured presuppositions, and the status that follows from them.

    The claim is beyond the scale if one of them is not met, or if the scale names it. It is undecided if one cannot be
    checked yet. Claims with values that are missing, not comparable or not finite keep their status.
    """
    findings = presuppositions.findings(result.claim)
    result = replace(result, findings=findings)
    if {(value.row, value.metric) for value in result.values} != {(t.row, t.metric) for t in result.claim.terms()}:
        return result
    if not all(isfinite(value.mean) for value in result.values):
        return result
    if any(found.met is False for found in findings):
        return replace(result, status=ClaimStatus.BEYOND, reason="")
    if named := scale.beyond.get((exhibit.name, result.claim.says)):
        return replace(result, status=ClaimStatus.BEYOND, reason=named)
    if open_ := [found for found in findings if found.met is None]:
        rows = ", ".join(dict.fromkeys(row for found in open_ for row in found.need.rows))
        return replace(result, status=ClaimStatus.UNDECIDED, reason=f"not measured yet what it presupposes of {rows}")
    return result
