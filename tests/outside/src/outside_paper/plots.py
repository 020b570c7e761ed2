"""Draws the paper's figure; imported by the report alone."""

from matplotlib.figure import Figure

from harness.report.figures.base import BLUE, GREY, WIDTH, leave_empty, panels, sheet
from harness.report.figures.row_data import artefact, first_seed, why_empty
from harness.report.results.report import ExhibitReport
from harness.store.results import Results
from outside_paper.drawings import PredictedAgainstTrue


def predicted_against_true(drawing: PredictedAgainstTrue, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each row that has predictions, None where no row has."""
    rows = [row.row for row in report.rows]
    predictions, targets = ([artefact(report, results, row, name) for row in rows] for name in drawing.arrays)
    if all(array is None for array in predictions):
        return None
    figure, body = sheet(report, WIDTH, 3.0, first_seed(report))
    for axes, row, predicted, true in zip(panels(body, len(rows), len(rows)), rows, predictions, targets, strict=True):
        axes.set_title(row.key)
        if predicted is None or true is None:
            leave_empty(axes, why_empty(row))
            continue
        axes.axline((0, 0), slope=1, color=GREY, linestyle="--")
        axes.plot(true[: drawing.points], predicted[: drawing.points], "o", color=BLUE, markersize=3)
        axes.set(xlabel="true", ylabel="predicted")
    return figure
