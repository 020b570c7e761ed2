"""Sentences on comparisons between rows: rank agreement, and what bold values are."""

from collections.abc import Iterable
from math import isfinite

from harness.registry.digits import p_value
from harness.report.results.best_values import best_measured, best_reported
from harness.report.results.rank_agreement import RankAgreement, least_p_value
from harness.report.results.report import ExhibitReport


def rank_agreement(report: ExhibitReport) -> str:
    """Return the rank agreements of an exhibit in a sentence."""
    of = " of the rows shown" if report.whole else ""
    listed = "; ".join(agreement(found) for found in report.agreements)
    return f"Rank agreement{of}, Kendall's tau-b: {listed}.{_untested(report.agreements)}"


def agreement(found: RankAgreement) -> str:
    """Return the rank agreement of a metric in a few words."""
    printed, ours = found.metric.label, found.measure
    label = printed if printed == ours else f"{printed} against {ours}"
    label += f" on {found.among}" if found.among else ""
    label += f" [{found.group}]" if found.group else ""
    if not isfinite(found.tau):
        return f"{label} none, since all {found.rows} values on a side are equal"
    if not found.is_tested:
        return f"{label} {found.tau:+.2f} ({found.rows} rows)"
    p = p_value(found.p_value)
    return f"{label} {found.tau:+.2f} ({found.rows} rows, p {p if p.startswith('<') else f'= {p}'})"


def _untested(agreements: Iterable[RankAgreement]) -> str:
    """Return why agreements of few rows have no p-value; empty if all have one."""
    sizes = sorted({found.rows for found in agreements if isfinite(found.tau) and not found.is_tested})
    listed = [f"below {least_p_value(rows):.2g} with {rows} rows" for rows in sizes]
    return f" No p-value is possible {', and none '.join(listed)}." if listed else ""


def bold(report: ExhibitReport) -> str:
    """Return what bold values are, for the formats that have them; empty if there are none."""
    printed, measured = best_reported(report), best_measured(report)
    if not printed and not measured.cells:
        return ""
    parts = ["the best printed value"] if printed else []
    if measured.tested:
        parts.append("the best measured mean with every row whose difference from it is not decided")
    elif measured.cells:
        parts.append("the best measured mean, no test")
    other = "; where the noise is unknown, the best mean, no test" if measured.tested and measured.untested else ""
    return f"Bold, among the paper's own rows in a column and section: {', and '.join(parts)}{other}."
