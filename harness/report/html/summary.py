"""The summary on top of the page: verdicts, claims, coverage, cost and provenance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.registry.paper import Paper
from harness.registry.scale import Scale
from harness.report.html.answer import AbstractClaim, abstract_claims, page_answers
from harness.report.html.provenance import Provenance, provenance
from harness.report.html.run_index import RunIndex
from harness.report.html.symbols import MARKS, Mark
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.results.verdicts import Verdict
from harness.report.writers.rechecked_text import rechecked
from harness.report.writers.wording import heading, levels, span, subject
from harness.store.usage import Usage


@dataclass(frozen=True)
class BarShare:
    """One part of a bar: where it begins and its length, in percent."""

    mark: Mark
    count: int
    begin: float
    length: float


@dataclass(frozen=True)
class ExhibitLine:
    """An exhibit in the overview: coverage, verdicts, claims and the FAILs to expect."""

    name: str
    heading: str
    title: str
    measured: int
    wanted: int
    verdict: Mark | None
    marks: tuple[tuple[Mark, int], ...]
    claims: tuple[tuple[Mark, int], ...]
    fails: str


@dataclass(frozen=True)
class Summary:
    """The summary of a page.

    `reported` is the number of values that the paper prints, `wanted` that of the values that runs have; `further` says
    that the paper does not print some of these, or that they are by other protocols. `levels` are those of the
    intervals that decide claims. `left_out` are exhibits of the paper that are not on the page.
    """

    paper: Paper
    scale: Scale
    answers: tuple[Markup, ...]
    abstract: tuple[AbstractClaim, ...]
    cells: tuple[BarShare, ...]
    claims: tuple[BarShare, ...]
    reported: int
    measured: int
    wanted: int
    further: bool
    levels: str
    seeds: str
    runs: int
    cost: str
    provenance: Provenance
    rechecked: str
    exhibits: tuple[ExhibitLine, ...]
    left_out: tuple[str, ...]


def summary(reports: Sequence[ExhibitReport], run_index: RunIndex) -> Summary:
    """Return the summary of one paper's exhibits at one scale."""
    paper, scale = reports[0].paper, reports[0].scale
    shown = {report.exhibit.name for report in reports}
    usual = (*paper.tables, *paper.figures)
    seeds = sorted({row.seeds for report in reports for row in report.rows if row.seeds})
    usage = {run: cost for report in reports for run, cost in report.usage.items()}
    segments = {run: found for report in reports for run, found in report.segments.items()}
    counts = VerdictCounts.sum(report.verdict_counts for report in reports)
    return Summary(
        paper=paper,
        scale=scale,
        answers=page_answers(reports),
        abstract=abstract_claims(reports),
        cells=_shares(counts.counts),
        claims=_shares(Counter(result.status for report in reports for result in report.claim_results)),
        reported=counts.cells,
        measured=sum(report.measured for report in reports),
        wanted=sum(report.wanted for report in reports),
        further=any(map(_has_further_values, reports)),
        levels=levels(reports),
        seeds=span(seeds[0], seeds[-1]) if seeds else "none",
        runs=len(run_index.measured),
        cost=str(Usage.sum(usage.values())) or "nothing yet",
        provenance=provenance(segment for run in run_index.measured for segment in segments[run]),
        rechecked=rechecked({run: found for report in reports for run, found in report.rechecks.items()}),
        exhibits=tuple(map(_line, reports)),
        left_out=tuple(exhibit.name for exhibit in usual if exhibit.name not in shown),
    )


def _has_further_values(report: ExhibitReport) -> bool:
    cells = [cell for row in report.rows for cell in row.cells if cell.wanted]
    return any(len(cell.labels) > 1 or cell.verdict is Verdict.NOT_REPORTED for cell in cells)


def _shares(counts: Mapping[Any, int]) -> tuple[BarShare, ...]:
    """Return the parts of a bar, by verdict or status, in the order of `MARKS`."""
    total, begin, shares = sum(counts.values()), 0.0, []
    for mark, count in _marked(counts):
        length = 100 * count / total
        shares.append(BarShare(mark, count, round(begin, 3), round(length, 3)))
        begin += length
    return tuple(shares)


def _marked(counts: Mapping[Any, int]) -> tuple[tuple[Mark, int], ...]:
    return tuple((mark, counts[word]) for word, mark in MARKS.items() if word in counts)


def _line(report: ExhibitReport) -> ExhibitLine:
    return ExhibitLine(
        name=report.exhibit.name,
        heading=heading(report),
        title=subject(report),
        measured=report.measured,
        wanted=report.wanted,
        verdict=MARKS.get(report.verdict.word) if report.verdict_counts.counts else None,
        marks=_marked(report.verdict_counts.counts),
        claims=_marked(Counter(result.status for result in report.claim_results)),
        fails=str(report.verdict),
    )
