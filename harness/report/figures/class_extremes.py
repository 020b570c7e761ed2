"""The samples of each class that their model scores highest and lowest, by density and by confidence."""

from math import isqrt

import numpy as np
from matplotlib.figure import Figure

from harness.registry.figures import ClassExtremes, ClassGrids
from harness.report.figures.base import WIDTH, figure_with_caption, leave_empty, panels
from harness.report.figures.images import in_lines, show_mosaic
from harness.report.figures.own_logits import DENSITY, own_logits
from harness.report.figures.row_data import first_seed
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import class_shown
from harness.store.results import Results

PANEL = WIDTH / 2 + 0.1


def all_classes(plot: ClassExtremes, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw four panels with a line for each class, most extreme first; classes with fewer samples have blanks."""
    samples = own_logits(report, results, plot.classes)
    if samples is None:
        return None
    figure, body = figure_with_caption(report, WIDTH, 2 * PANEL, DENSITY, first_seed(report))
    number = len(samples.names)
    by_panel = zip(*(samples.extremes(index) for index in range(number)), strict=True)
    for axes, of_classes in zip(panels(body, 4, 2), by_panel, strict=True):
        lines = [samples.images[order[: plot.count]] for _, _, order in of_classes]
        show_mosaic(axes, lines, plot.count)
        axes.set_title(of_classes[0][0])
        axes.set_yticks(np.arange(number) + 0.5, samples.names)
    return figure


def one_class(plot: ClassGrids, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw four square grids of one class, smaller where highest and lowest would overlap."""
    samples = own_logits(report, results, ())
    if samples is None:
        return None
    number = len(samples.of_class(plot.index))
    name = class_shown(report) or f"class {plot.index}"
    side = min(plot.side, max(1, isqrt(number // 2)))
    remark = f"{number} of {len(samples.classes)} samples are of {name}."
    figure, body = figure_with_caption(report, WIDTH, 2 * PANEL, remark, DENSITY, first_seed(report))
    for axes, (title, scores, order) in zip(panels(body, 4, 2), samples.extremes(plot.index), strict=True):
        if not number:
            axes.set(title=title, box_aspect=1)
            leave_empty(axes, f"no sample of {name}")
            continue
        shown = slice(side**2)
        show_mosaic(axes, in_lines(samples.images[order[shown]], side), side)
        axes.set_title(f"{title}: {scores[shown][0]:.2f} to {scores[shown][-1]:.2f}")
    return figure
