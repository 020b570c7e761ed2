"""Lays out an exhibit as tables of cells, for all writers.

With few metrics, paper and measured values are side by side. With many, a row has one line for the paper, one for the
measurement, and one for every other protocol. Sections with different metrics become separate tables.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from harness.config.evaluations import measure_of
from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.report.results.cells import ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.writers.table_cells import BLANK, Role, TableCell, TableCells, row_seeds, row_verdict
from harness.report.writers.wording import with_data, with_outliers

MOST_SIDE_BY_SIDE = 4
TableLine = tuple[TableCell, ...]
"""The cells of a line, one for each column."""


@dataclass(frozen=True)
class TableColumn:
    """A column: the role of its cells, the name of their values, and the heading of its group."""

    role: Role
    name: str = ""
    metric: Metric | None = None
    group: str = ""

    @property
    def heading(self) -> str:
        """The column's heading without a group heading above it."""
        return _with_unit(self.name, self.metric) + (" (paper)" if self.role is Role.PAPER else "")

    @property
    def holds_words(self) -> bool:
        """Whether its cells are words rather than numbers."""
        return self.role in (Role.LABEL, Role.LINE, Role.VERDICT)


@dataclass(frozen=True)
class TableRow:
    """A row of the exhibit and its lines; the first line has the label."""

    of: ReportRow
    lines: tuple[TableLine, ...]


@dataclass(frozen=True)
class TableSection:
    """Rows under a heading, which may be empty."""

    heading: str
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class TableGrid:
    """A caption (empty if there is only one grid), columns and sections."""

    caption: str
    columns: tuple[TableColumn, ...]
    sections: tuple[TableSection, ...]

    @property
    def is_stacked(self) -> bool:
        """Whether paper and measurement have separate lines, because a row has many values."""
        return self.columns[1].role is Role.LINE

    @property
    def lines(self) -> list[TableLine]:
        """The lines of all rows."""
        return [line for section in self.sections for row in section.rows for line in row.lines]


def grids(report: ExhibitReport, verdicts_in: Role = Role.VERDICT) -> Iterator[TableGrid]:
    """Yield the grids of an exhibit, in the order of its rows.

    Verdicts have one column per row, or with `Role.DIFFERENCE` one beside each value.
    """
    by_key = {row.row.key: row for row in report.rows}
    for block in report.exhibit.blocks():
        stacked = len(block.metrics) > MOST_SIDE_BY_SIDE or report.exhibit.readings
        form = (_Stacked if stacked else _SideBySide)(report, block.metrics, verdicts_in)
        sections = []
        for name, members in groupby((by_key[row.key] for row in block.rows), key=lambda row: row.row.section):
            rows = list(members)
            heading = section_heading(report, name, rows) if name != block.caption else ""
            sections.append(TableSection(heading, tuple(TableRow(row, tuple(form.lines(row))) for row in rows)))
        yield TableGrid(block.caption, tuple(form.columns()), tuple(sections))


_Part = tuple[Role, str, Callable[[ReportRow, ReportCell], TableCell]]
"""A value of an exhibit's cell: its role, its name, and the function that makes its table cell."""


class _Form:
    """Base of both forms: the parts of a cell, and the columns around the metric columns."""

    def __init__(self, report: ExhibitReport, metrics: tuple[Metric, ...], verdicts_in: Role) -> None:
        self.report, self.metrics, self.made = report, metrics, TableCells(report)
        self.parts: list[_Part] = [(Role.PAPER, "paper", self.made.paper), (Role.OURS, "ours", self.made.ours)]
        self.closing = {Role.SEEDS: row_seeds}
        if report.scale.comparable and verdicts_in is Role.DIFFERENCE:
            self.parts.append((Role.DIFFERENCE, "difference", self.made.difference))
        elif report.scale.comparable:
            self.closing[Role.VERDICT] = row_verdict
        self.parts += [(Role.READING, name, partial(self.made.reading, name)) for name in report.exhibit.readings]

    def chosen(self, row: ReportRow) -> list[ReportCell]:
        return [cell for cell in row.cells if cell.metric in self.metrics]

    def label(self, row: ReportRow) -> TableCell:
        """Return the row's label, with its protocols if no section names them."""
        text, sections = row.row.label, any(other.row.section for other in self.report.rows)
        text = text if sections else with_data(self.report, text, [row.row])
        if self.report.scale.comparable and not sections:
            text = _with_protocols(self.report, text, [row])
        return TableCell(
            Role.LABEL, text=text, source=row.source or "own", remarks=(row.row.note,) if row.row.note else ()
        )

    def closing_columns(self, heading: Callable[[ExhibitReport, Metric], str]) -> Iterator[TableColumn]:
        """Yield the columns of secondary metrics, seeds and verdicts."""
        for metric in self.report.shown:
            yield TableColumn(Role.SECONDARY, heading(self.report, metric), metric)
        for role in self.closing:
            yield TableColumn(role, role.value)

    def closing_cells(self, row: ReportRow, role: Role = Role.OURS, name: str = "") -> Iterator[TableCell]:
        """Yield the cells of these columns for one line; seeds and verdicts are on the line of our values."""
        for metric in self.report.shown:
            has_values, reading = role in (Role.OURS, Role.READING), name if role is Role.READING else PAPER_PROTOCOL
            yield self.made.secondary(row, metric, reading) if has_values else BLANK
        for cell in self.closing.values():
            yield cell(row) if role is Role.OURS else BLANK


class _SideBySide(_Form):
    def columns(self) -> Iterator[TableColumn]:
        yield TableColumn(Role.LABEL, "Model")
        for metric in self.metrics:
            group = _with_unit(metric_heading(self.report, metric), metric)
            for role, _, _ in self.parts:
                name = metric.label if role is Role.PAPER else self.report.label(metric)
                yield TableColumn(role, name, metric, group)
        yield from self.closing_columns(ExhibitReport.label)

    def lines(self, row: ReportRow) -> Iterator[TableLine]:
        cells = [part(row, cell) for cell in self.chosen(row) for _, _, part in self.parts]
        yield (self.label(row), *cells, *self.closing_cells(row))


class _Stacked(_Form):
    def columns(self) -> Iterator[TableColumn]:
        yield TableColumn(Role.LABEL, "Model")
        yield TableColumn(Role.LINE)
        for metric in self.metrics:
            yield TableColumn(Role.VALUE, metric_heading(self.report, metric), metric)
        yield from self.closing_columns(metric_heading)

    def lines(self, row: ReportRow) -> Iterator[TableLine]:
        label, chosen, is_ours = self.label(row), self.chosen(row), bool(row.row.run or row.row.setting)
        has_line = {
            Role.PAPER: not is_ours or any(cell.reported is not None for cell in chosen),
            Role.OURS: is_ours,
            Role.DIFFERENCE: is_ours,
        }
        for role, name, part in self.parts:
            if has_line.get(role, any(name in cell.readings for cell in chosen)):
                cells = [part(row, cell) for cell in chosen]
                yield (label, TableCell(Role.LINE, text=name), *cells, *self.closing_cells(row, role, name))
                label = BLANK


def section_heading(report: ExhibitReport, section: str, rows: Sequence[ReportRow]) -> str:
    """Return the section's name, with the stand-in for its data, and at the paper's scale with its protocols."""
    if report.scale.comparable:
        return _with_protocols(report, section, rows)
    return with_data(report, section, (row.row for row in rows)) if section else ""


def metric_heading(report: ExhibitReport, metric: Metric) -> str:
    """Return the metric's label, with the labels of its values by protocol if they differ from it."""
    readings = (
        label
        for row in report.rows
        for cell in (*row.cells, *row.secondary)
        for name, label in cell.labels.items()
        if cell.metric == metric and name in cell.readings
    )
    own = report.label(metric)
    labels = [own, *(measure_of(label) if _differ(report, metric) else label for label in readings)]
    others = [label for label in dict.fromkeys(labels) if label != metric.label]
    label = with_outliers(report, metric.label, others[0]) if len(others) == 1 else metric.label
    return f"{label} / {', '.join(others)}" if others and label == metric.label else label


def _with_protocols(report: ExhibitReport, name: str, rows: Sequence[ReportRow]) -> str:
    """Return a name with the labels of the rows' values if labels differ within the exhibit."""
    cells = [cell for row in rows for cell in row.cells if cell.wanted and _differ(report, cell.metric)]
    order = report.exhibit.metrics.index
    labels = [
        cell.labels[PAPER_PROTOCOL]
        for cell in sorted(cells, key=lambda cell: order(cell.metric))
        if PAPER_PROTOCOL in cell.labels
    ]
    return f"{name} ({', '.join(dict.fromkeys(labels))})" if labels else name


def _differ(report: ExhibitReport, metric: Metric) -> bool:
    return len(report.labels.get(metric.key, ())) > 1


def _with_unit(name: str, metric: Metric | None) -> str:
    return f"{name} {metric.unit}" if metric and metric.unit else name
