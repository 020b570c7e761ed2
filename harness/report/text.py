"""How reports read: titles, notes and the evidence of claims, shared by all writers."""

from collections.abc import Mapping
from math import inf

from harness.report.build import ExhibitReport
from harness.report.claims import Decision, Status
from harness.spec.evaluations import INCEPTION_SHA256
from harness.spec.metrics import Metric
from harness.store.spent import Spent

MOST_VALUES = 12


def title(report: ExhibitReport) -> str:
    """Return the exhibit's heading."""
    exhibit = report.exhibit
    number = f"{exhibit.number} ({exhibit.variant})" if exhibit.variant else str(exhibit.number)
    return f"{exhibit.kind.capitalize()} {number}: {exhibit.title} ({report.paper.name}, scale {report.scale.name})"


def caption(report: ExhibitReport) -> str:
    """Return the heading for a document that numbers its own tables and figures."""
    exhibit, scale = report.exhibit, report.scale.name
    return f"{exhibit.title} ({report.paper.name} {exhibit.kind} {exhibit.number}, scale {scale})"


def notes(report: ExhibitReport) -> list[str]:
    """Return what a reader must know of the values: feature spaces, coverage, seeds, cost, footnotes."""
    sentences = []
    spaces = [space for space in report.feature_spaces if space.get("kind") == "classifier"]
    if spaces:
        listed = ", ".join(f"{space['data']} ({space['test_accuracy']:.1f} %)" for space in spaces)
        sentences.append(
            "FD and CS are a Fréchet distance and a class score in the features of a small classifier of the data "
            f"(its test accuracy: {listed}); they are not FID and IS."
        )
    sentences += [_inception_note(space) for space in report.feature_spaces if space.get("kind") == "inception"]
    sentences += [f"{remark}." for remark in report.remarks]
    sentences += [f"{need[0].upper()}{need[1:]}." for need in report.needs]
    if report.wanted:
        sentences.append(_coverage(report))
    if cost := str(Spent.sum(report.spent.values())):
        sentences.append(f"Cost so far, of training and all evaluations of these runs: {cost}.")
    sentences += [f"{row.row.key}: {row.row.note}" for row in report.rows if row.row.note]
    return sentences


def _inception_note(space: Mapping[str, str | float]) -> str:
    """Return whose weights a feature space has: what is not in the published ones is no FID."""
    sha256, library = str(space["weights_sha256"]), space["library"]
    made = f"features of {space['data']} by {library}, weights {sha256[:8]}"
    if sha256 == INCEPTION_SHA256:
        return f"FID and IS: {made}, as published."
    return f"FD and CS (inception {sha256[:8]}): {made}, which are not the published ones; they are not FID and IS."


def claim_evidence(decision: Decision, report: ExhibitReport) -> str:
    """Return the measured values that decide a claim, and what keeps it from being decided."""
    parts = _values(decision, report)
    intervals = [
        f"{_signed(finding.estimate)} ± {finding.half_width:.2f} {_bounds(finding.contrast.low, finding.contrast.high)}"
        for finding in decision.findings
    ]
    if intervals:
        parts.append(f"Differences: {'; '.join(intervals)}")
    if seeds := sorted({value.seeds for value in decision.values if value.seeds}):
        parts.append(f"Seeds: {span(seeds[0], seeds[-1])}")
    if decision.reason:
        parts.append(decision.reason[0].upper() + decision.reason[1:])
    if decision.printed is Status.FAILS:
        parts.append("The paper's own printed values contradict it")
    elif decision.printed is Status.UNDECIDED:
        parts.append("The paper's own printed values are equal")
    return ". ".join(parts)


def _values(decision: Decision, report: ExhibitReport) -> list[str]:
    """Return the values behind a claim, metric by metric; where they are too many to read, how many."""
    if len(decision.values) > MOST_VALUES:
        return [f"From {len(decision.values)} values of the table"]
    by_metric: dict[Metric, list[str]] = {}
    for value in decision.values:
        by_metric.setdefault(value.metric, []).append(f"{value.row} {value.metric.measured(value.mean)}")
    return [f"{report.label(metric)}: {', '.join(values)}" for metric, values in by_metric.items()]


def _coverage(report: ExhibitReport) -> str:
    coverage = f"{report.measured} of {report.wanted} cells are measured"
    seeds = sorted({row.seeds for row in report.rows if row.seeds})
    if not seeds:
        return f"{coverage}."
    if seeds[-1] > 1:
        return f"{coverage}; ± is the standard deviation over {span(seeds[0], seeds[-1])} seeds (ddof 1)."
    return f"{coverage}, with one seed: the spread between seeds is not in the values."


def _signed(value: float) -> str:
    """Return a difference with two decimals, or two digits where these would show none."""
    return f"{value:+.2g}" if 0 < abs(value) < 0.01 else f"{value:+.2f}"


def _bounds(low: float, high: float) -> str:
    if low == -inf:
        return f"(claimed < {high:g})"
    if high == inf:
        return f"(claimed > {low:g})"
    return f"(claimed {low:g} to {high:g})"


def span(fewest: int, most: int) -> str:
    """Return a range of numbers, one number where they are equal."""
    return str(fewest) if fewest == most else f"{fewest} to {most}"
