"""The tables of the page, with sort keys of rows and the names of cells in the page's data."""

from collections.abc import Iterator
from itertools import groupby
from math import isfinite

from harness.registry.metrics import Metric
from harness.report.html.numbers import MINUS, Alignment, Number
from harness.report.html.symbols import MARKS, Mark
from harness.report.results.report import ExhibitReport
from harness.report.results.verdicts import Verdict
from harness.report.writers.table_cells import CellKind, Role, TableCell
from harness.report.writers.table_layout import TableColumn, TableGrid, TableRow, grids

SILENT = (Verdict.NOT_COMPARED, Verdict.UNCERTAIN, Verdict.CITED, Verdict.NOT_REPORTED)
"""Verdicts without a mark: the scale, the dash or the row's source already shows them."""

SortKey = float | str | None


class TableView:
    """A table of the page: its grid, with accessors for the template."""

    def __init__(self, report: ExhibitReport, grid: TableGrid, name: str) -> None:
        self.id, self.grid, self._report = name, grid, report
        self.names = 2 if grid.is_stacked else 1
        """The number of leading columns that name the lines."""
        self.columns = grid.columns[self.names :]
        self.sources = {"cited": MARKS["cited"], "uncertain": MARKS["uncertain"]}
        self._judged = Role.DIFFERENCE if report.scale.comparable else Role.OURS
        self._places = {row.row.key: place for place, row in enumerate(report.rows)}
        self._alignments = {column: self._alignment(column) for column in self.columns}

    def groups(self) -> Iterator[tuple[str, Metric | None, int]]:
        """Yield the headings above columns, which may be empty, with their metric and number of columns."""
        for (group, metric), members in groupby(self.columns, key=lambda column: (column.group, column.metric)):
            yield group, metric, len(list(members))

    def number(self, column: TableColumn, cell: TableCell) -> Number:
        """Return the text of a cell; numbers are aligned within their column."""
        if cell.kind is CellKind.NUMBER:
            return self._alignments[column].number(cell.text, cell.sd)
        is_gap = cell.role is Role.OURS and cell.kind is not CellKind.WORDS
        style = "gap" if is_gap else "words" if cell.role in (Role.PAPER, Role.OURS) else ""
        return Number("–" if cell.kind is CellKind.DASH else cell.text, style=style)

    def runs(self, row: TableRow, cell: TableCell) -> str:
        """Return the name of a cell in the page's data, empty if it has no runs."""
        if cell.role is not Role.OURS or cell.metric is None or cell.kind not in (CellKind.NUMBER, CellKind.GAP):
            return ""
        return cell_key(self._report, self._places[row.of.row.key], cell.metric)

    def mark(self, cell: TableCell) -> Mark | None:
        """Return the mark of a verdict: at the difference, or at our value if nothing is compared."""
        judgement = cell.judgement if cell.role is self._judged else None
        return MARKS[judgement.verdict] if judgement and judgement.verdict not in SILENT else None

    def qualifier(self, cell: TableCell) -> str:
        """Return the word beside the mark of a verdict, if there is one."""
        return cell.judgement.qualifier if self.mark(cell) and cell.judgement else ""

    def difference(self, cell: TableCell) -> tuple[str, str]:
        """Return the difference and the tolerance as text, each empty if there is none."""
        if cell.role is not Role.DIFFERENCE or not cell.judgement or not cell.metric:
            return "", ""
        difference, tolerance = self._report.digits.difference(cell.judgement, cell.metric)
        return difference.replace("-", MINUS), tolerance

    def verdicts(self, row: TableRow) -> list[str]:
        """Return the verdicts by which a row is filtered, each once."""
        metrics = {column.metric for column in self.columns}
        return list(dict.fromkeys(cell.verdict.value for cell in row.of.cells if cell.metric in metrics))

    def keys(self, row: TableRow) -> list[SortKey]:
        """Return the sort key of a row for each column: our value, or the paper's if ours is missing."""
        keys: list[SortKey] = [row.of.row.key.casefold()]
        for place, column in enumerate(self.columns, self.names):
            if column.metric:
                found = {line[place].role: _sort_key(line[place]) for line in reversed(row.lines)}
                ours = found.get(Role.OURS if column.role is Role.VALUE else column.role)
                keys.append(ours if ours is not None else found.get(Role.PAPER))
        return [*keys, row.of.seeds]

    def _alignment(self, column: TableColumn) -> Alignment:
        """Return the alignment of a column's numbers, by the decimals of all columns of its metric."""
        of_metric = [place for place, other in enumerate(self.grid.columns) if other.metric == column.metric]
        own, lines = self.grid.columns.index(column), self.grid.lines
        return Alignment.of([line[place] for line in lines for place in of_metric], [line[own] for line in lines])


def tables(report: ExhibitReport) -> Iterator[TableView]:
    """Yield the tables of an exhibit: one, or one per group of rows with the same metrics."""
    for number, grid in enumerate(grids(report, verdicts_in=Role.DIFFERENCE)):
        yield TableView(report, grid, f"{report.exhibit.name}-{number}")


def cell_key(report: ExhibitReport, row: int, metric: Metric) -> str:
    """Return the name of a cell in the page's data."""
    return f"{report.exhibit.name}/{row}/{metric.key}"


def _sort_key(cell: TableCell) -> SortKey:
    """Return a finite number or text to sort by; None sorts last."""
    if cell.value is not None:
        return cell.value if isfinite(cell.value) else None
    return cell.text.casefold() or None if cell.kind is CellKind.WORDS else None
