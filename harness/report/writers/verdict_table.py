"""The judged cells of an exhibit, one per line with the evidence for the verdict, for the text writers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from harness.registry.digits import interval, p_value
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import COMPARED
from harness.report.results.verdicts import Verdict
from harness.report.writers.table_cells import DASH

HEADINGS = (
    "row",
    "metric",
    "paper",
    "95 % prediction",
    "measured",
    "seeds",
    "difference",
    "tolerance",
    "95 % interval",
    "p",
    "verdict",
)
JUDGED = (*COMPARED, Verdict.PARTIAL)
NOT_PLAIN_PASS = (Verdict.FAIL, Verdict.XPASS, Verdict.INCONCLUSIVE, Verdict.XFAIL, Verdict.PARTIAL)


@dataclass(frozen=True)
class VerdictRow:
    """One line: the texts under `HEADINGS`, and the reason for the verdict, if it has one."""

    texts: tuple[str, ...]
    reason: str


def verdict_rows(report: ExhibitReport, verdicts: Collection[Verdict] = JUDGED) -> Iterator[VerdictRow]:
    """Yield the measured cells with one of these verdicts, in the order of rows and metrics."""
    for row in report.rows:
        for cell in row.cells:
            if cell.verdict in verdicts and isinstance(cell.measured, Measured):
                yield _line(report, row, cell, cell.measured)


def _line(report: ExhibitReport, row: ReportRow, cell: ReportCell, value: Measured) -> VerdictRow:
    metric, found, statistics = cell.metric, cell.judgement, cell.statistics
    difference, tolerance = report.digits.difference(found, metric)
    texts = (
        row.row.key,
        report.label(metric),
        cell.printed,
        _interval(metric, statistics.prediction if statistics else None),
        str(report.digits.form(value, metric)),
        str(value.seeds),
        difference or DASH,
        tolerance or DASH,
        _interval(metric, statistics.interval if statistics else None),
        DASH if statistics is None or statistics.p_value is None else p_value(statistics.p_value),
        str(found),
    )
    return VerdictRow(texts, found.reason)


def _interval(metric: Metric, ends: tuple[float, float] | None) -> str:
    return interval(*ends, metric.decimals) if ends else DASH
