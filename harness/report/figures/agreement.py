"""Agreement plots: the measured values with the rows in the paper's order, and Kendall's tau."""

from collections.abc import Sequence
from math import isfinite, nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.registry.exhibit import Exhibit
from harness.registry.figures import Agreement
from harness.registry.metrics import Metric
from harness.report.figures.base import BLUE, balanced, figure_with_caption, panels
from harness.report.figures.row_data import all_seeds
from harness.report.results.rank_agreement import RankAgreement, RankedRow
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import with_outliers
from harness.store.results import Results

AXES_WIDTH, LETTER_WIDTH, ROW_HEIGHT, AROUND = 1.3, 0.05, 0.17, 0.75
WIDEST, MOST_PANELS_IN_LINE = 9.6, 4
REMARK = "Rows are in the paper's order, with its values; x is the measured value. Better is up and to the right."
APART = "Rows on different datasets, in different feature spaces or measured in different ways are not ranked together."


def draw(plot: Agreement, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each rank agreement of a metric that has a better side.

    If the measured values order the rows as the paper does, the points rise to the right.
    """
    shown = [found for found in report.agreements if found.metric.better != "neither" and isfinite(found.tau)]
    if not shown:
        return None
    ranked = [_worst_first(found) for found in shown]
    labels = [_labels(report.exhibit, found.metric, rows) for found, rows in zip(shown, ranked, strict=True)]
    panel = AXES_WIDTH + LETTER_WIDTH * max(len(label) for of_panel in labels for label in of_panel)
    columns = balanced(len(shown), min(MOST_PANELS_IN_LINE, max(1, int(WIDEST / panel))))
    lines = range(0, len(shown), columns)
    heights = [ROW_HEIGHT * max(found.rows for found in shown[start : start + columns]) for start in lines]
    height = sum(heights) + AROUND * len(heights)
    apart = [APART] if len({found.metric for found in shown}) < len(shown) else []
    figure, body = figure_with_caption(report, max(4.5, columns * panel), height, REMARK, *apart, all_seeds(report))
    for axes, found, rows, names in zip(panels(body, len(shown), columns, heights), shown, ranked, labels, strict=True):
        _draw_ranked(axes, found.metric, rows)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.5, len(names) - 0.5)
        axes.set_xlabel(f"{found.measure} {found.metric.unit}".strip() + " →")
        # long names make the axes narrow: a centred title would overflow the figure
        axes.set_title(_title(report, found), loc="right")
    return figure


def _worst_first(found: RankAgreement) -> list[RankedRow]:
    """Return the rows of an agreement, worst first by the paper's values."""
    return sorted(found.ranked, key=lambda row: row.reported, reverse=found.metric.better == "lower")


def _labels(exhibit: Exhibit, metric: Metric, rows: Sequence[RankedRow]) -> list[str]:
    """Return the names of rows with the paper's values, and with their sections if there are several."""
    several = len({ranked.row.section for ranked in rows}) > 1
    return [
        f"{row.key if several else row.name}  "
        f"{metric.reported(exhibit.reported(row, metric), exhibit.reported_sd(row, metric))}"
        for row in (ranked.row for ranked in rows)
    ]


def _title(report: ExhibitReport, found: RankAgreement) -> str:
    dataset = f"{found.among}\n" if found.among else ""
    group = f"{found.group}\n" if found.group else ""
    return f"{dataset}{group}{with_outliers(report, found.metric.label, found.measure)}: τ = {found.tau:.2f}"


def _draw_ranked(axes: Axes, metric: Metric, rows: Sequence[RankedRow]) -> None:
    means, deviations = [row.measured.mean for row in rows], [row.measured.sd or nan for row in rows]
    heights = range(len(rows))
    axes.plot(means, heights, color="0.75", linewidth=1)
    axes.plot(means, heights, color=BLUE, marker="o", linestyle="none")
    axes.errorbar(means, heights, xerr=deviations, fmt="none", ecolor=BLUE, elinewidth=0.8)
    axes.grid(axis="x")
    if metric.better == "lower":
        axes.invert_xaxis()
