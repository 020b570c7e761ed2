"""The content of a table cell (a number, words or nothing), ready for every writer."""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.registry.row import Source, Words
from harness.report.results.best_values import best_measured, best_reported
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.column_digits import ColumnDigits
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.results.verdicts import Judgement, Verdict

DASH, GAP = "-", "..."


class Role(StrEnum):
    """The content of a cell: the row's label, the paper's value, ours, and so on.

    A column has the role of its cells, or VALUE if its lines have different roles. LINE names the lines of a row that
    has several. SECONDARY is a metric without a column in the paper.
    """

    LABEL = auto()
    LINE = auto()
    VALUE = auto()
    PAPER = auto()
    OURS = auto()
    DIFFERENCE = auto()
    READING = auto()
    SECONDARY = auto()
    SEEDS = auto()
    VERDICT = auto()


class CellKind(Enum):
    """The kind of a cell's text: DASH if no value belongs there, GAP if the value is not measured yet."""

    NUMBER = auto()
    WORDS = auto()
    DASH = auto()
    GAP = auto()


@dataclass(frozen=True)
class TableCell:
    """The text of a cell, with further data that writers may print.

    `sd` is the standard deviation as text, `value` the number behind the text. `source` is set if the row has no single
    source. `remarks` are notes on this cell alone.
    """

    role: Role = Role.VALUE
    kind: CellKind = CellKind.WORDS
    text: str = ""
    sd: str = ""
    value: float | None = None
    metric: Metric | None = None
    best: bool = False
    source: Source = "own"
    judgement: Judgement | None = None
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text} ± {self.sd}" if self.sd else self.text


BLANK = TableCell()


class TableCells:
    """Makes the cells of an exhibit's tables."""

    def __init__(self, report: ExhibitReport) -> None:
        self._expected = {(cell.row, cell.metric): cell.reason for cell in report.exhibit.expected}
        self._digits = report.digits
        self._best_reported, self._best_measured = best_reported(report), best_measured(report).cells

    def paper(self, row: ReportRow, cell: ReportCell) -> TableCell:
        """Return the paper's value."""
        if cell.reported is None:
            return TableCell(Role.PAPER, CellKind.DASH, DASH)
        found, reason = _printed(cell.reported, cell), self._expected.get((row.row.key, cell.metric))
        return replace(
            found,
            best=(row.row.key, cell.metric.key) in self._best_reported,
            source=cell.source if row.source is None else "own",
            remarks=(*found.remarks, f"expected to fail: {reason}") if reason else found.remarks,
        )

    def ours(self, row: ReportRow, cell: ReportCell) -> TableCell:
        """Return the measured or configured value, or the reason why it is missing."""
        best = (row.row.key, cell.metric.key) in self._best_measured
        return replace(_ours(cell, self._digits), metric=cell.metric, best=best, judgement=cell.judgement)

    def difference(self, row: ReportRow, cell: ReportCell) -> TableCell:
        """Return the difference between our value and the paper's, without text: the writer chooses the decimals."""
        difference = cell.judgement.difference
        return TableCell(Role.DIFFERENCE, value=difference, metric=cell.metric, judgement=cell.judgement)

    def reading(self, name: str, row: ReportRow, cell: ReportCell) -> TableCell:
        """Return the value of another protocol."""
        if name not in cell.readings:
            return BLANK
        return _mean(Role.READING, cell.readings[name], cell.metric, self._digits)

    def secondary(self, row: ReportRow, metric: Metric, reading: str) -> TableCell:
        """Return the value of a metric without a column in the paper."""
        cell = next((cell for cell in row.secondary if cell.metric == metric), None)
        value = (cell.measured if reading == PAPER_PROTOCOL else cell.readings.get(reading)) if cell else None
        return _mean(Role.SECONDARY, value, metric, self._digits) if isinstance(value, Measured) else BLANK


def row_seeds(row: ReportRow) -> TableCell:
    """Return the number of seeds of a row, empty without measurements."""
    return TableCell(Role.SEEDS, text=str(row.seeds or ""))


def row_verdict(row: ReportRow) -> TableCell:
    """Return the verdicts of a row: one with the word beside it if all are the same, else the count of each kind."""
    counts = VerdictCounts.of(cell.verdict for cell in row.cells)
    if not counts.counts:
        return TableCell(Role.VERDICT, CellKind.DASH, DASH)
    words = {str(cell.judgement) for cell in row.cells if cell.verdict is not Verdict.NOT_REPORTED}
    if len(words) == 1:
        return TableCell(Role.VERDICT, text=words.pop())
    closely = sum(cell.judgement.closely for cell in row.cells)
    beside = {Verdict.PASS: f" ({closely} closely)"} if closely else {}
    numbers = counts.counts.items()
    parts = [
        (f"{count} " if len(numbers) > 1 else "") + verdict + beside.get(verdict, "") for verdict, count in numbers
    ]
    return TableCell(Role.VERDICT, text=", ".join(parts))


def _printed(value: float | Words, cell: ReportCell) -> TableCell:
    if not isinstance(value, Words):
        return TableCell(Role.PAPER, CellKind.NUMBER, cell.metric.reported(value), cell.printed_sd, float(value))
    if value.meaning is None or _number(value.text) is not None:
        return TableCell(Role.PAPER, text=value.text, value=value.meaning)
    remark = f"printed in words, which are taken to mean {value.meaning:,g} {cell.metric.unit}".strip()
    return TableCell(Role.PAPER, text=value.text, value=value.meaning, remarks=(remark,))


def _ours(cell: ReportCell, digits: ColumnDigits) -> TableCell:
    if isinstance(cell.measured, Measured):
        return _mean(Role.OURS, cell.measured, cell.metric, digits)
    if cell.measured is not None:
        return TableCell(Role.OURS, text=cell.measured.value, value=_number(cell.measured.value))
    if cell.needs:
        return TableCell(Role.OURS, CellKind.GAP, cell.needs.what, remarks=(f"not measured: {cell.needs}",))
    return TableCell(Role.OURS, CellKind.GAP, GAP) if cell.wanted else TableCell(Role.OURS, CellKind.DASH, DASH)


def _mean(role: Role, value: Measured, metric: Metric, digits: ColumnDigits) -> TableCell:
    form = digits.form(value, metric)
    return TableCell(role, CellKind.NUMBER, form.mean, form.sd, value.mean, metric)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
