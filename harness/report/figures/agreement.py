"""Agreement plots: the measured values with the rows in the paper's order, and Kendall's tau."""

from math import isfinite, nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import kendalltau

from harness.registry.exhibit import Exhibit
from harness.registry.figures import Agreement
from harness.registry.metrics import Metric
from harness.registry.row import Row, Words
from harness.report.figures.base import BLUE, balanced, figure_with_caption, panels
from harness.report.figures.row_data import all_seeds
from harness.report.results.cells import Measured
from harness.report.results.report import ExhibitReport
from harness.store.results import Results

AXES_WIDTH, LETTER_WIDTH, ROW_HEIGHT, AROUND = 1.3, 0.05, 0.17, 0.75
WIDEST, MOST_PANELS_IN_LINE = 9.6, 4
FEWEST_ROWS = 3
REMARK = "Rows are in the paper's order, with its values; x is the measured value. Better is up and to the right."
Pair = tuple[Row, float, Measured]
"""A row with its reported and measured values."""


def draw(plot: Agreement, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each metric with enough rows and differing values, both reported and measured.

    If the measured values order the rows as the paper does, the points rise to the right.
    """
    found = {metric: _pairs(report, metric) for metric in report.exhibit.metrics if metric.better != "neither"}
    shown = {metric: pairs for metric, pairs in found.items() if _has_an_order(pairs)}
    if not shown:
        return None
    labels = {metric: _labels(report.exhibit, metric, pairs) for metric, pairs in shown.items()}
    panel = AXES_WIDTH + LETTER_WIDTH * max(len(label) for of_metric in labels.values() for label in of_metric)
    columns = balanced(len(shown), min(MOST_PANELS_IN_LINE, max(1, int(WIDEST / panel))))
    rows = [len(pairs) for pairs in shown.values()]
    heights = [ROW_HEIGHT * max(rows[start : start + columns]) for start in range(0, len(rows), columns)]
    height = sum(heights) + AROUND * len(heights)
    figure, body = figure_with_caption(report, max(4.5, columns * panel), height, REMARK, all_seeds(report))
    for axes, (metric, pairs) in zip(panels(body, len(rows), columns, heights), shown.items(), strict=True):
        _draw_metric(axes, metric, pairs, report.label(metric))
        axes.set_yticks(range(len(pairs)), labels[metric])
    return figure


def _pairs(report: ExhibitReport, metric: Metric) -> list[Pair]:
    """Return the rows with a reported and a measured number, worst first by the paper's values."""
    found = []
    for row in report.rows:
        cell = next(cell for cell in row.cells if cell.metric == metric)
        if cell.reported is None or isinstance(cell.reported, Words) or not isinstance(cell.measured, Measured):
            continue
        if isfinite(cell.measured.mean):
            found.append((row.row, cell.reported, cell.measured))
    return sorted(found, key=lambda pair: pair[1], reverse=metric.better == "lower")


def _has_an_order(pairs: list[Pair]) -> bool:
    reported, measured = {pair[1] for pair in pairs}, {pair[2].mean for pair in pairs}
    return len(pairs) >= FEWEST_ROWS and len(reported) > 1 and len(measured) > 1


def _labels(exhibit: Exhibit, metric: Metric, pairs: list[Pair]) -> list[str]:
    """Return the names of rows with the paper's values, and with their sections if there are several."""
    several = len({row.section for row, _, _ in pairs}) > 1
    return [
        f"{row.key if several else row.name}  {metric.reported(reported, exhibit.reported_sd(row, metric))}"
        for row, reported, _ in pairs
    ]


def _draw_metric(axes: Axes, metric: Metric, pairs: list[Pair], label: str) -> None:
    _, reported, measured = zip(*pairs, strict=True)
    means, deviations = [value.mean for value in measured], [value.sd or nan for value in measured]
    heights = range(len(pairs))
    axes.plot(means, heights, color="0.75", linewidth=1)
    axes.plot(means, heights, color=BLUE, marker="o", linestyle="none")
    axes.errorbar(means, heights, xerr=deviations, fmt="none", ecolor=BLUE, elinewidth=0.8)
    axes.grid(axis="x")
    if metric.better == "lower":
        axes.invert_xaxis()
    axes.set_xlabel(f"{label} {metric.unit}".strip() + " →")
    # long names make the axes narrow: a centred title would overflow the figure
    axes.set_title(f"{metric.label}: τ = {kendalltau(reported, means).statistic:.2f}", loc="right")
