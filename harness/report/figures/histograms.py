"""Histograms of the density that a model assigns to its own samples, class by class."""

import numpy as np
from matplotlib.figure import Figure

from harness.registry.figures import DensityHistograms
from harness.report.figures.base import BLUE, RED, WIDTH, figure_with_caption, panels
from harness.report.figures.own_logits import DENSITY, own_logits
from harness.report.figures.row_data import first_seed
from harness.report.results.report import ExhibitReport
from harness.store.results import Results

ROOM = 0.9
"""The length of the longest bar; 1 would reach the next class."""


def draw(plot: DensityHistograms, report: ExhibitReport, results: Results) -> Figure | None:
    """Draw a histogram for each class along the x axis, its bars to the right, all to the same scale."""
    samples = own_logits(report, results, plot.classes)
    if samples is None:
        return None
    values = [samples.density[samples.of_class(index)] for index in range(len(samples.names))]
    edges = np.histogram_bin_edges(np.concatenate(values), plot.bins)
    counts = [np.histogram(of_class, edges)[0] for of_class in values]
    longest = max(count.max() for count in counts)
    remarks = (DENSITY, f"The longest bar holds {longest} samples; a line marks the median.", first_seed(report))
    figure, body = figure_with_caption(report, WIDTH, 3.2, *remarks)
    (axes,) = panels(body, 1, 1)
    for index, (of_class, count) in enumerate(zip(values, counts, strict=True)):
        bars = index + ROOM * count / max(1, longest)
        axes.stairs(bars, edges, baseline=index, orientation="horizontal", fill=True, color=BLUE)
        if len(of_class):
            axes.hlines(np.median(of_class), index, index + ROOM, color=RED, linewidth=0.8)
    names = [f"{name}\n{len(of_class)}" for name, of_class in zip(samples.names, values, strict=True)]
    axes.set_xticks(range(len(names)), names, ha="left")
    axes.set(xlabel="class, with its number of samples", ylabel="E(x)", xlim=(-0.1, len(names)))
    axes.grid(axis="y")
    return figure
