"""Lays an exhibit out as grids of texts: which value stands in which column, for all writers alike.

With few metrics, paper and measured value stand side by side. With many, a row takes a line for the paper, one for
the measurement, and one for every further protocol. Sections that report different metrics become grids of their own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.config.evaluations import measure_of
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import VerdictCounts

DASH, GAP = "-", "..."
MOST_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Column:
    """A column: its name, the group that it belongs to, what it is called without groups, and how it is aligned."""

    name: str
    group: str = ""
    flat: str = ""
    align: str = "right"

    @property
    def heading(self) -> str:
        """The column's name where there are no groups above it."""
        return self.flat or self.name


@dataclass(frozen=True)
class Line:
    """The texts of a line, or the one text of a section's heading."""

    texts: tuple[str, ...]
    is_section: bool = False


@dataclass(frozen=True)
class Grid:
    """A caption (empty where there is one grid), columns and lines."""

    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def grids(report: ExhibitReport) -> Iterator[Grid]:
    """Yield the grids of an exhibit, in the order of its rows."""
    by_key = {row.row.key: row for row in report.rows}
    for block in report.exhibit.blocks():
        yield _grid(report, block.caption, [by_key[row.key] for row in block.rows], block.metrics)


def is_stacked(report: ExhibitReport, metrics: tuple[Metric, ...]) -> bool:
    """Tell whether paper and measurement take lines of their own, because there is much to show of a row."""
    return len(metrics) > MOST_SIDE_BY_SIDE or bool(report.exhibit.readings)


def _grid(report: ExhibitReport, caption: str, rows: Sequence[ReportRow], metrics: tuple[Metric, ...]) -> Grid:
    layout = _Stacked if is_stacked(report, metrics) else _SideBySide
    columns = (*layout.columns(report, metrics), *_closing_columns(report))
    lines: list[Line] = []
    for section, members in groupby(rows, key=lambda row: row.row.section):
        of_section = list(members)
        if section != caption:
            lines.append(Line((section_heading(report, section, of_section),), is_section=True))
        for row in of_section:
            lines += layout.lines(report, row, metrics)
    return Grid(caption, columns, tuple(lines))


def section_heading(report: ExhibitReport, section: str, rows: Sequence[ReportRow]) -> str:
    """Return the section's name, with what its values are measured by where that differs within the exhibit.

    That is the dataset that stands in for the paper's, or at the paper's scale the protocol.
    """
    data = {report.scale.shrink(row.row.run).config.data.name for row in rows if row.row.run}
    if report.scale.comparable:
        return _with_protocols(report, section, rows)
    if not data or not any(_differ(report, metric) for metric in report.exhibit.metrics):
        return section
    return f"{section} ({', '.join(sorted(data))})"


def _with_protocols(report: ExhibitReport, name: str, rows: Sequence[ReportRow]) -> str:
    """Return a name with what the values of some rows are called where not all of the exhibit's are called the same."""
    cells = [cell for row in rows for cell in row.cells if cell.wanted and _differ(report, cell.metric)]
    order = report.exhibit.metrics.index
    labels = [cell.labels[""] for cell in sorted(cells, key=lambda cell: order(cell.metric)) if "" in cell.labels]
    return f"{name} ({', '.join(dict.fromkeys(labels))})" if labels else name


def _differ(report: ExhibitReport, metric: Metric) -> bool:
    return len(report.labels.get(metric.key, ())) > 1


def row_label(report: ExhibitReport, row: ReportRow) -> str:
    """Return the row's label, with its protocols where no section tells them."""
    sections = any(other.row.section for other in report.rows)
    return row.row.label if sections or not report.scale.comparable else _with_protocols(report, row.row.label, [row])


def _closing_columns(report: ExhibitReport) -> tuple[Column, ...]:
    seeds = Column("seeds")
    return (seeds, Column("verdict", align="left")) if report.scale.comparable else (seeds,)


def _closing_texts(report: ExhibitReport, row: ReportRow) -> tuple[str, ...]:
    seeds = str(row.seeds or "")
    return (seeds, verdict(row)) if report.scale.comparable else (seeds,)


class _SideBySide:
    @staticmethod
    def columns(report: ExhibitReport, metrics: tuple[Metric, ...]) -> list[Column]:
        columns = [Column("Model", align="left")]
        for metric in metrics:
            label, unit = report.label(metric), f" {metric.unit}" if metric.unit else ""
            group = f"{metric.label}{unit}" if label == metric.label else f"{metric.label} / {label}{unit}"
            columns.append(Column("paper", group, f"{metric.label}{unit} (paper)"))
            columns.append(Column("ours", group, f"{label}{unit}"))
        return columns + [Column(report.label(metric)) for metric in report.shown]

    @staticmethod
    def lines(report: ExhibitReport, row: ReportRow, metrics: tuple[Metric, ...]) -> list[Line]:
        texts = [row_label(report, row)]
        for cell in _chosen(row, metrics):
            texts += [cell.printed, _measured_or_gap(cell)]
        texts += [_secondary(row, metric, "") for metric in report.shown]
        return [Line((*texts, *_closing_texts(report, row)))]


class _Stacked:
    @staticmethod
    def columns(report: ExhibitReport, metrics: tuple[Metric, ...]) -> list[Column]:
        columns = [Column("Model", align="left"), Column("", align="left")]
        columns += [Column(f"{metric_heading(report, metric)} {metric.unit}".strip()) for metric in metrics]
        return columns + [Column(metric_heading(report, metric)) for metric in report.shown]

    @staticmethod
    def lines(report: ExhibitReport, row: ReportRow, metrics: tuple[Metric, ...]) -> list[Line]:
        chosen = _chosen(row, metrics)
        blank = tuple("" for _ in _closing_columns(report))
        no_further = tuple("" for _ in report.shown)
        lines = []
        if any(cell.reported is not None for cell in chosen):
            printed = (cell.printed for cell in chosen)
            lines.append(Line((row_label(report, row), "paper", *printed, *no_further, *blank)))
        if row.row.run or row.row.setting:
            label = "" if lines else row_label(report, row)
            texts = [_measured_or_gap(cell) for cell in chosen]
            texts += [_secondary(row, metric, "") for metric in report.shown]
            lines.append(Line((label, "ours", *texts, *_closing_texts(report, row))))
        for name in report.exhibit.readings:
            values = [cell.readings.get(name) for cell in chosen]
            if any(values):
                found = [
                    measured(value, cell.metric) if value else "" for value, cell in zip(values, chosen, strict=True)
                ]
                found += [_secondary(row, metric, name) for metric in report.shown]
                lines.append(Line(("", name, *found, *blank)))
        return lines


def verdict(row: ReportRow) -> str:
    """Return the verdicts of a row in a few words: each kind once, counted where there are several kinds."""
    counts = VerdictCounts.of(cell.verdict for cell in row.cells)
    return str(counts) if len(counts.counts) > 1 else next((kind.value for kind in counts.counts), DASH)


def measured(value: Measured, metric: Metric) -> str:
    """Return a mean, with the standard deviation where there are several seeds."""
    text = metric.measured(value.mean)
    return text if value.sd is None or metric.noise == "none" else f"{text} ± {metric.measured(value.sd)}"


def metric_heading(report: ExhibitReport, metric: Metric) -> str:
    """Return the metric's label, with what its values by every protocol are called where that is something else."""
    readings = (
        label
        for row in report.rows
        for cell in (*row.cells, *row.secondary)
        for name, label in cell.labels.items()
        if cell.metric == metric and name and name in cell.readings
    )
    own = report.label(metric)
    labels = [own, *(measure_of(label) if _differ(report, metric) else label for label in readings)]
    others = [label for label in dict.fromkeys(labels) if label != metric.label]
    return f"{metric.label} / {', '.join(others)}" if others else metric.label


def secondary_value(row: ReportRow, metric: Metric, reading: str) -> Measured | None:
    """Return what was measured of a metric that the paper has no column for."""
    cell = next((cell for cell in row.secondary if cell.metric == metric), None)
    value = (cell.readings.get(reading) if reading else cell.measured) if cell else None
    return value if isinstance(value, Measured) else None


def _secondary(row: ReportRow, metric: Metric, reading: str) -> str:
    value = secondary_value(row, metric, reading)
    return measured(value, metric) if value else ""


def _chosen(row: ReportRow, metrics: tuple[Metric, ...]) -> list[ReportCell]:
    return [cell for cell in row.cells if cell.metric in metrics]


def _measured_or_gap(cell: ReportCell) -> str:
    if isinstance(cell.measured, Measured):
        return measured(cell.measured, cell.metric)
    if cell.measured is not None:
        return cell.measured.value
    if cell.needs:
        return cell.needs.what
    return GAP if cell.wanted else DASH
