"""Draws the paper's figure; imported only by the report."""

from matplotlib.figure import Figure

from harness.report.figures.base import BLUE, GREY, WIDTH, figure_with_caption, leave_empty, panels
from harness.report.figures.row_data import artefact, first_seed, why_empty
from harness.report.results.report import ExhibitReport
from harness.store.results import Results
from outside_paper.figures import PredictedAgainstTrue


def predicted_against_true(plot: PredictedAgainstTrue, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw one panel per row with predictions; return None if no row has any."""
    rows = [row.row for row in report.rows]
    predictions, targets = ([artefact(report, results, row, name) for row in rows] for name in plot.arrays)
    if all(array is None for array in predictions):
        return None
    figure, body = figure_with_caption(report, WIDTH, 3.0, first_seed(report))
    for axes, row, predicted, true in zip(panels(body, len(rows), len(rows)), rows, predictions, targets, strict=True):
        axes.set_title(row.key)
        if predicted is None or true is None:
            leave_empty(axes, why_empty(row))
            continue
        axes.axline((0, 0), slope=1, color=GREY, linestyle="--")
        axes.plot(true[: plot.points], predicted[: plot.points], "o", color=BLUE, markersize=3)
        axes.set(xlabel="true", ylabel="predicted")
    return figure
