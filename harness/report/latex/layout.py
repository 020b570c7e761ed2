"""Lays an exhibit out for LaTeX: entries with their marks in columns of numbers or of words.

With few metrics, paper and measured value stand side by side. With many, a row takes a line for the paper, one for the
measurement with its standard deviation below, and the same for every further protocol.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.registry.metrics import Metric
from harness.registry.row import Words
from harness.report.latex.notes import CITED, FAILED, UNCERTAIN, UNEXPECTED, UNFINISHED, Notes
from harness.report.latex.numbers import in_cell, mean_and_spread
from harness.report.results.best_values import best_measured, best_reported
from harness.report.results.cells import Configured, Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.verdicts import Verdict
from harness.report.writers import table_layout

DASH, GAP = "–", "…"
LONG_NAME = 34
"""Longer names are broken into lines."""
SOURCES = {"cited": CITED, "uncertain": UNCERTAIN}
"""The sources that are marked: at the row's name, or at its cells where they differ in that."""
VERDICTS = {Verdict.FAIL: FAILED, Verdict.XPASS: UNEXPECTED, Verdict.PARTIAL: UNFINISHED}
"""The verdicts that are marked at the cell."""


@dataclass(frozen=True)
class Entry:
    """What stands in a cell, as plain text: a number or words, a standard deviation beside it, marks."""

    text: str = ""
    spread: str = ""
    bold: bool = False
    marks: tuple[str, ...] = ()


BLANK = Entry()


@dataclass(frozen=True)
class Column:
    """A column: the lines of its heading, what stands over it and its neighbours, whether it holds names."""

    heading: tuple[str, ...]
    group: str = ""
    names: bool = False


@dataclass(frozen=True)
class Block:
    """The lines of one row, which stay together."""

    lines: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True)
class Section:
    """Rows under a heading, which may be empty."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Layout:
    """A caption (empty where there is one layout), columns and sections."""

    caption: str
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]


def layouts(report: ExhibitReport, notes: Notes) -> Iterator[Layout]:
    """Yield the parts of an exhibit that have columns of their own, in the order of its rows."""
    by_key = {row.row.key: row for row in report.rows}
    for block in report.exhibit.blocks():
        writer = (_Stacked if table_layout.is_stacked(report, block.metrics) else _SideBySide)(
            report, block.metrics, notes
        )
        sections = []
        rows = [by_key[row.key] for row in block.rows]
        for name, members in groupby(rows, key=lambda row: row.row.section):
            of_section = list(members)
            heading = table_layout.section_heading(report, name, of_section) if name != block.caption else ""
            sections.append(Section(heading, tuple(writer.block(row) for row in of_section)))
        yield Layout(block.caption, (*writer.columns(), *writer.closing_columns()), tuple(sections))


class _Writer:
    """What both layouts share: how a cell of a metric becomes an entry."""

    def __init__(self, report: ExhibitReport, metrics: tuple[Metric, ...], notes: Notes) -> None:
        self.report, self.metrics, self.notes = report, metrics, notes
        self._expected = {(cell.row, cell.metric): cell.reason for cell in report.exhibit.expected}
        self._best_reported, self._best_measured = best_reported(report), best_measured(report)

    def label(self, row: ReportRow) -> Entry:
        """Return a row's name with the marks of its source and its note."""
        marks = [self.notes.symbol(SOURCES[row.source])] if row.source in SOURCES else []
        if row.row.note:
            marks.append(self.notes.letter(row.row.note))
        return Entry(table_layout.row_label(self.report, row), marks=tuple(marks))

    def reported(self, row: ReportRow, cell: ReportCell) -> Entry:
        """Return what the paper prints; words that mean a number say which."""
        if cell.reported is None:
            return Entry(DASH)
        marks = [self.notes.symbol(SOURCES[cell.source])] if row.source is None and cell.source in SOURCES else []
        marks += [self.notes.letter(_meaning(cell))] if _is_in_words(cell) else []
        if reason := self._expected.get((row.row.key, cell.metric)):
            marks.append(self.notes.letter(f"expected to fail: {reason}"))
        bold = (row.row.key, cell.metric.key) in self._best_reported
        return Entry(cell.metric.reported(cell.reported), cell.printed_sd, bold, tuple(marks))

    def measured(self, row: ReportRow, cell: ReportCell) -> Entry:
        """Return what was measured, or why there is nothing."""
        if isinstance(cell.measured, Configured):
            return Entry(cell.measured.value, marks=self._verdict_marks(cell))
        if isinstance(cell.measured, Measured):
            mean, spread = mean_and_spread(cell.measured, cell.metric)
            bold = (row.row.key, cell.metric.key) in self._best_measured
            return Entry(mean, spread, bold, self._verdict_marks(cell))
        if cell.needs:
            return Entry(GAP, marks=(self.notes.letter(f"not measured: {cell.needs}"),))
        return Entry(GAP if cell.wanted else DASH)

    def secondary(self, row: ReportRow, metric: Metric, reading: str) -> Entry:
        """Return what was measured of a metric that the paper has no column for."""
        value = table_layout.secondary_value(row, metric, reading)
        return Entry(*mean_and_spread(value, metric)) if value else BLANK

    def closing_columns(self) -> tuple[Column, ...]:
        """Return the columns for seeds and, where values compare, verdicts."""
        seeds = Column(("seeds",))
        return (seeds, Column(("verdict",), names=True)) if self.report.scale.comparable else (seeds,)

    def closing(self, row: ReportRow) -> tuple[Entry, ...]:
        """Return a row's entries of the closing columns."""
        seeds = Entry(str(row.seeds or ""))
        if not self.report.scale.comparable:
            return (seeds,)
        verdict = table_layout.verdict(row)
        return seeds, Entry(DASH if verdict == table_layout.DASH else verdict)

    def chosen(self, row: ReportRow) -> list[ReportCell]:
        """Return a row's cells of the layout's metrics."""
        return [cell for cell in row.cells if cell.metric in self.metrics]

    def _verdict_marks(self, cell: ReportCell) -> tuple[str, ...]:
        return (self.notes.symbol(VERDICTS[cell.verdict]),) if cell.verdict in VERDICTS else ()


class _SideBySide(_Writer):
    def columns(self) -> list[Column]:
        columns = [Column(("Model",), names=True)]
        for metric in self.metrics:
            label, group = self.report.label(metric), _with_unit(metric.label, metric)
            columns.append(Column(("paper",), group))
            columns.append(Column(("ours",) if label == metric.label else ("ours", label), group))
        return columns + [Column((self.report.label(metric),)) for metric in self.report.shown]

    def block(self, row: ReportRow) -> Block:
        entries = [self.label(row)]
        for cell in self.chosen(row):
            entries += [self.reported(row, cell), self.measured(row, cell)]
        entries += [self.secondary(row, metric, "") for metric in self.report.shown]
        return Block(((*entries, *self.closing(row)),))


class _Stacked(_Writer):
    def columns(self) -> list[Column]:
        columns = [Column(("Model",), names=True), Column(("",), names=True)]
        for metric in self.metrics:
            heading = _with_unit(table_layout.metric_heading(self.report, metric), metric)
            columns.append(Column(tuple(heading.split(" "))))
        return columns + [
            Column(tuple(table_layout.metric_heading(self.report, metric).split(" "))) for metric in self.report.shown
        ]

    def block(self, row: ReportRow) -> Block:
        chosen, blank = self.chosen(row), (BLANK,) * len(self.closing_columns())
        lines: list[tuple[Entry, ...]] = []
        if any(cell.reported is not None for cell in chosen):
            printed = [self.reported(row, cell) for cell in chosen]
            lines += _with_spreads("paper", printed, (*(BLANK for _ in self.report.shown), *blank))
        if row.row.run or row.row.setting:
            values = [self.measured(row, cell) for cell in chosen]
            values += [self.secondary(row, metric, "") for metric in self.report.shown]
            lines += _with_spreads("ours", values, self.closing(row))
        for name in self.report.exhibit.readings:
            readings = [_reading(cell, name) for cell in chosen]
            if any(entry is not BLANK for entry in readings):
                readings += [self.secondary(row, metric, name) for metric in self.report.shown]
                lines += _with_spreads(name, readings, blank)
        label = self.label(row)
        firsts = [label, *(BLANK for _ in lines[1:])]
        return Block(tuple((first, *line) for first, line in zip(firsts, lines, strict=True)))


def _is_in_words(cell: ReportCell) -> bool:
    """Tell whether the paper prints words that mean a number, and not just that number in another form."""
    words = cell.reported
    if not isinstance(words, Words) or words.meaning is None:
        return False
    return in_cell(words.text) is None


def _meaning(cell: ReportCell) -> str:
    value = cell.reported.meaning if isinstance(cell.reported, Words) else None
    unit = f" {cell.metric.unit}" if cell.metric.unit else ""
    return f"printed in words, which are taken to mean {value:,g}{unit}"


def _reading(cell: ReportCell, name: str) -> Entry:
    value = cell.readings.get(name)
    return Entry(*mean_and_spread(value, cell.metric)) if value else BLANK


def _with_spreads(name: str, entries: Sequence[Entry], closing: tuple[Entry, ...]) -> list[tuple[Entry, ...]]:
    """Return a line of values, and below it one of their standard deviations where there are some."""
    values = (Entry(entry.text, "", entry.bold, entry.marks) for entry in entries)
    lines: list[tuple[Entry, ...]] = [(Entry(name), *values, *closing)]
    if any(entry.spread for entry in entries):
        lines.append((Entry("±"), *(Entry(entry.spread) for entry in entries), *(BLANK for _ in closing)))
    return lines


def _with_unit(label: str, metric: Metric) -> str:
    return f"{label} ({metric.unit})" if metric.unit else label
