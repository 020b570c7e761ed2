"""Accuracy under attack against the size of the perturbation, by the paper's protocol and by other ones."""

from collections.abc import Iterator, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.registry.figures import AccuracyUnderAttack
from harness.report.figures.base import (
    COLOURS,
    DASHES,
    GREY,
    MARKERS,
    WIDTH,
    draw_measured,
    draw_reported,
    figure_with_caption,
    leave_empty,
    panels,
    reported_bars,
)
from harness.report.figures.row_data import all_seeds
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import with_data
from harness.store.results import Results

NORMS = {"linf": "L∞", "l2": "L2"}
Look = tuple[str, str]


def draw(plot: AccuracyUnderAttack, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each norm with a curve for each row and protocol; the value at 0 is the clean accuracy."""
    if not report.series:
        return None
    norms = [norm for norm in NORMS if len(list(_cells(report.rows[0], norm))) > 1]
    names = dict.fromkeys(_name(row) for row in report.rows)
    looks = dict(zip(names, cycle(zip(COLOURS, MARKERS, strict=True)), strict=False))
    figure, body = figure_with_caption(report, WIDTH, 3.0, all_seeds(report), *reported_bars(report))
    for axes, norm in zip(panels(body, len(norms), len(norms)), norms, strict=True):
        for row in _rows(report, norm):
            _draw_row(axes, report, row, norm, looks[_name(row)])
        if not axes.has_data():
            leave_empty(axes, "not measured yet")
        axes.set(title=f"{NORMS[norm]} attacks", xlabel="size of the perturbation, in 1/255", ylabel="accuracy, %")
        axes.grid()
    handles = list(_legend(report, looks))
    body.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)))
    return figure


def _rows(report: ExhibitReport, norm: str) -> Sequence[ReportRow]:
    """Return the rows of a norm's section, or all rows if sections are not norms."""
    return [row for row in report.rows if row.row.section == NORMS[norm]] or report.rows


def _name(row: ReportRow) -> str:
    return row.row.name if row.row.section in NORMS.values() else row.row.key


def _cells(row: ReportRow, norm: str) -> Iterator[tuple[float, ReportCell]]:
    """Yield the sizes of perturbations with their cells; the clean accuracy has size 0."""
    for cell in row.cells:
        kind, _, size = cell.metric.quantity.rpartition("_")
        if cell.metric.quantity == "accuracy":
            yield 0.0, cell
        elif kind == f"robust_{norm}":
            yield float(size), cell


def _draw_row(axes: Axes, report: ExhibitReport, row: ReportRow, norm: str, look: Look) -> None:
    colour, marker = look
    for protocol, dashes in zip(_protocols(report), cycle(DASHES), strict=False):
        found = [(size, _measured(cell, protocol, size)) for size, cell in _cells(row, norm)]
        draw_measured(axes, found, color=colour, marker=marker, linestyle=dashes)
    exhibit, metrics = report.exhibit, [(size, cell.metric) for size, cell in _cells(row, norm)]
    reported = [(x, exhibit.reported_value(row.row, of), exhibit.reported_sd(row.row, of)) for x, of in metrics]
    draw_reported(axes, report, reported, color=colour, marker=marker)


def _measured(cell: ReportCell, protocol: str, size: float) -> Measured | None:
    found = cell.readings.get(protocol) if protocol and size else cell.measured
    return found if isinstance(found, Measured) else None


def _protocols(report: ExhibitReport) -> tuple[str, ...]:
    return ("", *report.exhibit.readings)


def _legend(report: ExhibitReport, looks: dict[str, Look]) -> Iterator[Line2D]:
    absent = {_name(row) for row in report.rows if row.row.run is None}
    for name, (colour, marker) in looks.items():
        own = [row.row for row in report.rows if _name(row) == name]
        label = f"{name} (not run here)" if name in absent else with_data(report, name, own)
        yield Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)
    for protocol, dashes in zip(_protocols(report), cycle(DASHES), strict=False):
        yield Line2D([], [], color=GREY, linestyle=dashes, label=protocol or "the paper's protocol")
