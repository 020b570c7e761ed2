"""The course of training: what states of a run reach after growing shares of its epochs."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.report.build import ExhibitReport
from harness.report.cells import Measured, ReportRow
from harness.report.drawings.base import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    draw_measured,
    draw_reported,
    leave_empty,
    reported_bars,
    sheet,
)
from harness.report.drawings.shown import all_seeds, value, why_empty
from harness.spec.drawings import Course
from harness.spec.metrics import Metric
from harness.store.curves import read_curve
from harness.store.run_directory import Results

Curve = list[tuple[float, float]]


def draw(drawing: Course, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a column for each section with axes for each metric; epochs are shares of the training, at every scale."""
    sections = {
        section: [row for row in report.rows if row.row.section == section]
        for section in dict.fromkeys(row.row.section for row in report.rows)
    }
    curves = {section: _curve(rows[0], report, results) for section, rows in sections.items()}
    if not report.series and not any(curves.values()):
        return None
    logs = dict(drawing.reported)
    metrics = report.exhibit.metrics
    figure, body = sheet(report, WIDTH, 1.6 * len(metrics) + 0.7, all_seeds(report), *reported_bars(report))
    grid = body.subplots(len(metrics), len(sections), squeeze=False, sharex="col")
    for column, (section, rows) in zip(grid.T, sections.items(), strict=True):
        column[0].set_title(section)
        for axes, metric in zip(column, metrics, strict=True):
            _draw_states(axes, report, rows, metric)
            if metric.quantity == "accuracy":
                _draw_curves(axes, report, curves[section], list(logs.get(section, ())))
            if not axes.has_data():
                leave_empty(axes, why_empty(rows[0].row))
            axes.set(ylabel=_label(report, rows, metric), xlim=(0, 104))
            axes.grid()
        column[-1].set_xlabel(_epochs(report, rows[0]))
    body.align_ylabels()
    handles = {label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels())}
    body.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _draw_states(axes: Axes, report: ExhibitReport, rows: list[ReportRow], metric: Metric) -> None:
    measured, reported = [], []
    for row in rows:
        share = 100 * row.row.protocol.get("after", 1.0)
        cell = next(cell for cell in row.cells if cell.metric == metric)
        measured.append((share, cell.measured if isinstance(cell.measured, Measured) else None))
        exhibit = report.exhibit
        reported.append((share, exhibit.reported_value(row.row, metric), exhibit.reported_sd(row.row, metric)))
    draw_measured(axes, measured, color=BLUE, marker="o", label="measured")
    draw_reported(axes, report, reported, color=BLUE, marker="o")


def _draw_curves(axes: Axes, report: ExhibitReport, curve: Curve, log: Curve) -> None:
    if curve:
        axes.plot(*zip(*curve, strict=True), color=ORANGE, linewidth=1, label="measured every epoch (seed 0)")
    if log and axes.has_data():
        label = "authors' log" if report.scale.comparable else "authors' log (paper scale)"
        shares, accuracy = zip(*log, strict=True)
        axes.plot([100 * share for share in shares], accuracy, color=GREY, linestyle=":", label=label)


def _curve(row: ReportRow, report: ExhibitReport, results: Results) -> Curve:
    """Return test accuracy after every epoch, as far as the run with seed 0 has come."""
    if row.row.run is None:
        return []
    run = report.scale.shrink(row.row.run)
    points = read_curve(results.directory(run).metrics)
    share = 100 / run.config.training.epochs
    return [(share * point["epoch"], point["test_accuracy"]) for point in points if "test_accuracy" in point]


def _label(report: ExhibitReport, rows: list[ReportRow], metric: Metric) -> str:
    found = [found.label for row in rows if (found := value(report, row.row, metric.quantity))]
    return ", ".join(filter(None, [found[0] if found else report.label(metric), metric.unit]))


def _epochs(report: ExhibitReport, row: ReportRow) -> str:
    epochs = f" ({report.scale.shrink(row.row.run).config.training.epochs} epochs)" if row.row.run else ""
    return f"% of the training{epochs}"
