"""Reliability diagrams: the accuracy of a classifier against its confidence (Guo et al. 2017)."""

from itertools import chain
from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from harness.metrics.calibration import Reliability
from harness.registry.figures import ReliabilityDiagrams
from harness.report.figures.base import RED, SKY, WIDTH, balanced, figure_with_caption, leave_empty
from harness.report.figures.row_data import artefact, first_seed, why_empty
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import with_data
from harness.store.results import Results

BAR: dict[str, Any] = {"facecolor": SKY, "edgecolor": "white", "linewidth": 0.4}
GAP: dict[str, Any] = {"facecolor": "none", "edgecolor": RED, "linewidth": 0.5, "hatch": "//////"}
DIAGONAL: dict[str, Any] = {"color": "0.3", "linewidth": 0.8, "linestyle": "--"}


def draw(plot: ReliabilityDiagrams, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a panel for each row: accuracy in bins of confidence above, the share of images in each bin below."""
    found = [(row.row, artefact(report, results, row.row, "bins")) for row in report.rows]
    if all(bins is None for _, bins in found):
        return None
    columns = balanced(len(found), most=3)
    lines = ceil(len(found) / columns)
    figure, body = figure_with_caption(report, WIDTH, 2.9 * lines + 0.3, first_seed(report))
    grid = body.subplots(2 * lines, columns, squeeze=False, height_ratios=[3, 1] * lines)
    pairs = [(grid[2 * line, column], grid[2 * line + 1, column]) for line in range(lines) for column in range(columns)]
    for (diagram, shares), (row, bins) in zip(pairs, found, strict=False):
        diagram.set_title(with_data(report, row.key, [row]))
        if bins is None:
            leave_empty(diagram, why_empty(row))
            shares.remove()
        else:
            _draw_row(diagram, shares, Reliability(*bins.T))
    for unused in chain(*pairs[len(found) :]):
        unused.remove()
    body.align_ylabels()
    handles = (
        Patch(**BAR, label="accuracy"),
        Patch(**GAP, label="gap to the mean confidence"),
        Line2D([], [], **DIAGONAL, label="perfect calibration"),
    )
    body.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _draw_row(diagram: Axes, shares: Axes, bins: Reliability) -> None:
    number = len(bins.count)
    centres, width = (np.arange(number) + 0.5) / number, 1 / number
    diagram.bar(centres, bins.accuracy, width, **BAR)
    diagram.bar(centres, bins.confidence - bins.accuracy, width, bottom=bins.accuracy, **GAP)
    diagram.plot([0, 1], [0, 1], **DIAGONAL)
    shares.bar(centres, 100 * bins.count / bins.count.sum(), width, **BAR)
    accuracy = np.nansum(bins.count * bins.accuracy) / bins.count.sum()
    title = f"Accuracy: {accuracy:.1%}  ECE: {bins.expected_calibration_error():.1%}"
    diagram.set(title=f"{diagram.get_title()}\n{title}", xlim=(0, 1), ylim=(0, 1), ylabel="accuracy", xticklabels=[])
    shares.set(xlim=(0, 1), xlabel="confidence", ylabel="images, %")
