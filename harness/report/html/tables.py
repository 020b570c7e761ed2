"""An exhibit's rows as the page shows them: paper and measured side by side, or stacked where metrics are many.

Every row has the values by which the page sorts it and the words by which it filters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import isnan

from harness.registry.metrics import Metric
from harness.registry.row import Words
from harness.report.html.numbers import Column, Number, distance, ours, printed, signed, spread
from harness.report.html.symbols import MARKS, Mark
from harness.report.results.cells import Configured, Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.verdicts import Verdict
from harness.report.writers.table_layout import GAP, MOST_SIDE_BY_SIDE, metric_heading, row_label, section_heading

SILENT = (Verdict.NOT_COMPARED, Verdict.UNCERTAIN, Verdict.CITED, Verdict.NOT_REPORTED)
"""What says nothing of a single value: the scale, the dash and the row's source say it already."""
SOURCES = {"cited": MARKS["cited"], "uncertain": MARKS["uncertain"]}

SortKey = float | str | None


@dataclass(frozen=True)
class Entry:
    """A cell: `key` finds its runs among the page's data, and is empty where there are none to show.

    `source` marks a printed value that is not the paper's own, in rows that have values from several places. `gap`
    stands where nothing is measured. `mark` is None for verdicts that say nothing of a single value.
    """

    key: str
    paper: Number
    source: Mark | None
    ours: Number | None
    gap: str
    difference: str
    tolerance: str
    mark: Mark | None
    readings: dict[str, Number]


@dataclass(frozen=True)
class TableRow:
    """A row with the readings that give it lines of their own, the verdicts in it, and its sort keys by column."""

    label: str
    source: Mark | None
    note: str
    entries: tuple[Entry, ...]
    secondary: tuple[Number, ...]
    seeds: str
    readings: tuple[str, ...]
    verdicts: tuple[str, ...]
    has_paper: bool
    has_ours: bool
    keys: tuple[SortKey, ...]


@dataclass(frozen=True)
class TableView:
    """A table of the page. `metrics` are the headings of groups; `direction` says which values are better."""

    id: str
    caption: str
    metrics: tuple[tuple[str, str], ...]
    secondary: tuple[str, ...]
    sections: tuple[tuple[str, tuple[TableRow, ...]], ...]
    stacked: bool
    comparable: bool

    @property
    def columns(self) -> int:
        """How many columns it has, the label's and that of the seeds included."""
        each = 1 if self.stacked else 2 + self.comparable
        return 2 + self.stacked + each * len(self.metrics) + len(self.secondary)


def tables(report: ExhibitReport) -> Iterator[TableView]:
    """Yield the tables of an exhibit: one, or one for each block with columns of its own."""
    by_key = {row.row.key: (index, row) for index, row in enumerate(report.rows)}
    for number, block in enumerate(report.exhibit.blocks()):
        rows = [by_key[row.key] for row in block.rows]
        yield _table(report, f"{report.exhibit.name}-{number}", block.caption, rows, block.metrics)


def cell_key(report: ExhibitReport, row: int, metric: Metric) -> str:
    """Return the name of a cell in the page's data."""
    return f"{report.exhibit.name}/{row}/{metric.key}"


def _table(
    report: ExhibitReport,
    name: str,
    caption: str,
    rows: Sequence[tuple[int, ReportRow]],
    metrics: tuple[Metric, ...],
) -> TableView:
    stacked = len(metrics) > MOST_SIDE_BY_SIDE or bool(report.exhibit.readings)
    aligned = [_columns(metric, [row for _, row in rows], stacked) for metric in metrics]
    sections = []
    for section, members in groupby(rows, key=lambda entry: entry[1].row.section):
        of_section = list(members)
        heading = "" if section == caption else section_heading(report, section, [row for _, row in of_section])
        views = (_row(report, index, row, metrics, aligned, stacked) for index, row in of_section)
        sections.append((heading, tuple(views)))
    return TableView(
        id=name,
        caption=caption,
        metrics=tuple(_headings(report, metric, stacked) for metric in metrics),
        secondary=tuple(report.label(metric) for metric in report.shown),
        sections=tuple(sections),
        stacked=stacked,
        comparable=report.scale.comparable,
    )


def _headings(report: ExhibitReport, metric: Metric, stacked: bool) -> tuple[str, str]:
    """Return what a metric is called above its columns, and which values are better."""
    label = report.label(metric)
    name = metric_heading(report, metric) if stacked or label == metric.label else f"{metric.label} / {label}"
    better = {"higher": "higher is better", "lower": "lower is better", "neither": ""}[metric.better]
    return f"{name} {metric.unit}".strip(), better


def _columns(metric: Metric, rows: Sequence[ReportRow], stacked: bool) -> tuple[Column, Column]:
    """Return how the printed and the measured numbers of a metric are aligned: together where they are stacked."""
    cells = [cell for row in rows for cell in row.cells if cell.metric == metric]
    values = [value for cell in cells for value in (cell.measured, *cell.readings.values()) if value is not None]
    texts = [printed(metric, cell.reported) for cell in cells] + [ours(metric, value) for value in values]
    of_paper = [cell.printed_sd for cell in cells]
    of_ours = [spread(metric, value) for value in values if isinstance(value, Measured)]
    if stacked:
        column = Column.of(texts, of_paper + of_ours)
        return column, column
    return Column.of(texts, of_paper), Column.of(texts, of_ours)


def _row(
    report: ExhibitReport,
    index: int,
    row: ReportRow,
    metrics: Sequence[Metric],
    aligned: Sequence[tuple[Column, Column]],
    stacked: bool,
) -> TableRow:
    by_metric = {cell.metric: cell for cell in row.cells}
    chosen = [by_metric[metric] for metric in metrics]
    entries = tuple(
        _entry(cell_key(report, index, cell.metric), row, cell, columns, report.scale.comparable)
        for cell, columns in zip(chosen, aligned, strict=True)
    )
    secondary = tuple(_secondary(row, metric) for metric in report.shown)
    keys: list[SortKey] = [row.row.key.casefold()]
    for cell in chosen:
        keys += _sort_keys(cell, stacked, report.scale.comparable)
    keys += [_sort_key(number.text) for number in secondary]
    return TableRow(
        label=row_label(report, row),
        source=SOURCES.get(row.source or ""),
        note=row.row.note,
        entries=entries,
        secondary=secondary,
        seeds=str(row.seeds or ""),
        readings=tuple(name for name in report.exhibit.readings if any(name in cell.readings for cell in chosen)),
        verdicts=tuple(dict.fromkeys(cell.verdict.value for cell in chosen)),
        has_paper=any(cell.reported is not None for cell in chosen),
        has_ours=row.row.run is not None or row.row.setting is not None,
        keys=(*keys, row.seeds),
    )


def _entry(key: str, row: ReportRow, cell: ReportCell, columns: tuple[Column, Column], comparable: bool) -> Entry:
    metric, judgement, (of_paper, of_ours) = cell.metric, cell.judgement, columns
    tells = cell.verdict not in SILENT
    return Entry(
        key=key if cell.wanted and not isinstance(cell.measured, Configured) else "",
        paper=_printed(cell, of_paper),
        source=SOURCES.get(cell.source) if row.source is None and cell.reported is not None else None,
        ours=_measured(metric, cell.measured, of_ours) if cell.measured else None,
        gap=cell.needs.what if cell.needs else GAP if cell.wanted else "–",
        difference=signed(metric, judgement.difference) if comparable and judgement.difference is not None else "",
        tolerance=distance(metric, judgement.tolerance) if comparable and judgement.tolerance is not None else "",
        mark=MARKS[cell.verdict] if tells else None,
        readings={name: _measured(metric, value, of_ours) for name, value in cell.readings.items()},
    )


def _printed(cell: ReportCell, column: Column) -> Number:
    if isinstance(cell.reported, Words | str):
        return Number(str(cell.reported), words=True)
    if cell.reported is None:
        return Number("–", words=True)
    return column.number(printed(cell.metric, cell.reported), cell.printed_sd)


def _measured(metric: Metric, value: Measured | Configured, column: Column) -> Number:
    if isinstance(value, Configured):
        return Number(value.value, words=True)
    return column.number(metric.measured(value.mean), spread(metric, value))


def _secondary(row: ReportRow, metric: Metric) -> Number:
    cell = next((cell for cell in row.secondary if cell.metric == metric), None)
    if cell is None or not isinstance(cell.measured, Measured):
        return Number("", words=True)
    return Number(metric.measured(cell.measured.mean), spread(metric, cell.measured))


def _sort_keys(cell: ReportCell, stacked: bool, comparable: bool) -> list[SortKey]:
    reported = _sort_key(cell.reported)
    measured = (
        _sort_key(cell.measured.mean if isinstance(cell.measured, Measured) else ours(cell.metric, cell.measured))
        if cell.measured
        else None
    )
    if stacked:
        return [measured if measured is not None else reported]
    return [reported, measured, *([_sort_key(cell.judgement.difference)] if comparable else [])]


def _sort_key(value: object) -> SortKey:
    """Return what the page can compare: a finite number, or text; None comes last."""
    if isinstance(value, Words):
        return value.meaning if value.meaning is not None else value.text.casefold()
    if isinstance(value, int | float):
        return None if isnan(value) or value in (float("inf"), float("-inf")) else float(value)
    try:
        return float(str(value)) if value else None
    except ValueError:
        return str(value).casefold()
