"""Learning curves: the metrics of a run after growing shares of its epochs."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.config.run import WATCHED
from harness.registry.figures import LearningCurves
from harness.registry.metrics import Metric
from harness.report.figures.base import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    draw_measured,
    draw_reported,
    figure_with_caption,
    leave_empty,
    reported_bars,
)
from harness.report.figures.row_data import all_seeds, value, why_empty
from harness.report.results.cells import Measured, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import with_data
from harness.store.curves import read_curve
from harness.store.results import Results

Curve = list[tuple[float, float]]

LOGGED = "accuracy"
"""The quantity of the authors' published curves."""


def draw(plot: LearningCurves, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a column for each section with axes for each metric; x is the share of the training, at every scale."""
    sections = {
        section: [row for row in report.rows if row.row.section == section]
        for section in dict.fromkeys(row.row.section for row in report.rows)
    }
    metrics = report.exhibit.metrics
    curves = {section: _curves(rows[0], report, results) for section, rows in sections.items()}
    if not report.series and not any(curve for found in curves.values() for curve in found.values()):
        return None
    logs = dict(plot.reported)
    figure, body = figure_with_caption(
        report, WIDTH, 1.6 * len(metrics) + 0.7, all_seeds(report), *reported_bars(report)
    )
    grid = body.subplots(len(metrics), len(sections), squeeze=False, sharex="col")
    for column, (section, rows) in zip(grid.T, sections.items(), strict=True):
        column[0].set_title(with_data(report, section, [row.row for row in rows]))
        for axes, metric in zip(column, metrics, strict=True):
            _draw_states(axes, report, rows, metric)
            log = list(logs.get(section, ())) if metric.quantity == LOGGED else []
            _draw_curves(axes, report, curves[section][metric.quantity], log)
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
        shares, values = zip(*log, strict=True)
        axes.plot([100 * share for share in shares], values, color=GREY, linestyle=":", label=label)


def _curves(row: ReportRow, report: ExhibitReport, results: Results) -> dict[str, Curve]:
    """Return, by quantity, the validation values on the test split after every epoch of the run with seed 0."""
    points, share = [], 0.0
    if row.row.run is not None:
        run = report.scale.shrink(row.row.run)
        points, share = list(read_curve(results.directory(run).metrics)), 100 / run.config.training.epochs
    names = {metric.quantity: f"{WATCHED}_{metric.quantity}" for metric in report.exhibit.metrics}
    return {
        quantity: [(share * point["epoch"], point[name]) for point in points if name in point and "epoch" in point]
        for quantity, name in names.items()
    }


def _label(report: ExhibitReport, rows: list[ReportRow], metric: Metric) -> str:
    found = [found.label for row in rows if (found := value(report, row.row, metric.quantity))]
    return ", ".join(filter(None, [found[0] if found else report.label(metric), metric.unit]))


def _epochs(report: ExhibitReport, row: ReportRow) -> str:
    epochs = f" ({report.scale.shrink(row.row.run).config.training.epochs} epochs)" if row.row.run else ""
    return f"% of the training{epochs}"
