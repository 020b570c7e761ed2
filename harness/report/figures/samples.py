"""Generated samples: grids and strips of the first ones, not selected, as they are stored."""

from math import ceil, inf, isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.registry.figures import SampleGrids, SamplesAtDistances, SampleStrips
from harness.registry.row import Row
from harness.report.figures.base import WIDTH, balanced, figure_with_caption, leave_empty, panels
from harness.report.figures.images import in_lines, show_mosaic
from harness.report.figures.row_data import MeasuredValue, first_seed, pictures, value, why_empty
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import with_data
from harness.store.results import Results

DISTANCE = "frechet_distance"
LARGEST_PANEL = 3.5


def grids(plot: SampleGrids, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each row with its measured distance."""
    rows = [row.row for row in report.rows]
    if all(pictures(report, results, row) is None for row in rows):
        return None
    columns = balanced(len(rows), most=3)
    panel = min(LARGEST_PANEL, WIDTH / columns)
    height = ceil(len(rows) / columns) * (panel + 0.35)
    remarks = ("The first samples, not selected.", first_seed(report))
    figure, body = figure_with_caption(report, max(columns * panel, LARGEST_PANEL), height, *remarks)
    for axes, row in zip(panels(body, len(rows), columns), rows, strict=True):
        distance = value(report, row, DISTANCE)
        axes.set_title(f"{with_data(report, row.key, [row])}\n{distance or ''}".rstrip())
        _show(axes, report, results, row, plot.side)
    return figure


def at_distances(plot: SamplesAtDistances, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw samples of the final state and of an earlier one, with their distances below."""
    *earlier, last = [row.row for row in report.rows]
    distances = {row.key: found for row in (*earlier, last) if (found := value(report, row, DISTANCE))}
    if not distances:
        return None
    final = distances.get(last.key)
    other = _nearest(earlier, distances, plot.ratio * final.number) if final and 0 < final.number < inf else None
    figure, body = figure_with_caption(
        report, WIDTH, WIDTH / 2 + 0.25, "The first samples, not selected.", first_seed(report)
    )
    left, right = panels(body, 2, 2)
    _show(right, report, results, last, plot.side)
    if final:
        right.set_xlabel(f"{final} {_when(last)}")
    if final and other:
        _show(left, report, results, other, plot.side)
        times = distances[other.key].number / final.number
        left.set_xlabel(f"{distances[other.key]} ({times:.2g} times as much) {_when(other)}")
    else:
        left.set_box_aspect(1)
        leave_empty(left, f"no state at {plot.ratio:g} times the final distance yet")
    return figure


def strips(plot: SampleStrips, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a line of samples for each row that has any."""
    found = [(row.row, pictures(report, results, row.row)) for row in report.rows]
    lines = [(row, samples[: plot.count]) for row, samples in found if samples is not None]
    if not lines:
        return None
    remarks = (f"The first {plot.count} samples of each row, not selected.", first_seed(report))
    figure, body = figure_with_caption(report, WIDTH, 0.42 * len(lines), *remarks)
    for axes, (row, samples) in zip(panels(body, len(lines), 1), lines, strict=True):
        show_mosaic(axes, [samples], plot.count)
        axes.set_anchor("W")
        label = f"{with_data(report, row.key, [row])}\n{value(report, row, DISTANCE) or ''}".rstrip()
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    return figure


def _when(row: Row) -> str:
    """Return the share of the training after which a row's state was evaluated."""
    share = row.protocol.get("after", 1.0)
    return "at the end of the training" if share == 1 else f"after {share:.0%} of the training"


def _show(axes: Axes, report: ExhibitReport, results: Results, row: Row, side: int) -> None:
    samples = pictures(report, results, row)
    if samples is None:
        axes.set_box_aspect(1)
        leave_empty(axes, why_empty(row))
    else:
        show_mosaic(axes, in_lines(np.asarray(samples[: side**2]), side), side)


def _nearest(rows: list[Row], distances: dict[str, MeasuredValue], wanted: float) -> Row | None:
    """Return the row with the distance nearest to `wanted`; None if no distance is finite."""
    known = [row for row in rows if row.key in distances and isfinite(distances[row.key].number)]
    return min(known, key=lambda row: abs(distances[row.key].number - wanted), default=None)
