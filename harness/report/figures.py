"""Figures of a table: how paper and measurement agree row by row, and what the generative rows generate."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.report.build import TableReport
from harness.spec.metrics import Metric
from harness.store.arrays import load_array
from harness.store.files import write_atomically
from harness.store.run_directory import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES_SHOWN = 16
COLOUR = "#0072B2"
FORMATS = ("png", "pdf")
WITHOUT_DATE: dict[str, dict[str, None]] = {"pdf": {"CreationDate": None}, "png": {}}


def write_figures(report: TableReport, results: Results) -> list[Path]:
    """Draw the figures for which there are values, as PNG and PDF, and return their paths."""
    figures = {"agreement": agreement(report), "samples": samples(report, results)}
    written = []
    for name, figure in figures.items():
        if figure is None:
            continue
        for ending in FORMATS:
            path = results.report / report.paper.name / f"{report.table.name}-{name}.{ending}"
            options = {"dpi": 150, "format": ending, "metadata": WITHOUT_DATE[ending]}
            write_atomically(path, lambda file, figure=figure, options=options: figure.savefig(file, **options))  # type: ignore[misc]
            written.append(path)
    return written


def agreement(report: TableReport) -> "Figure | None":
    """Plot the measured values with the rows in the paper's order, one panel a metric, and Kendall's tau.

    Where the measurement orders the rows as the paper does, the points run along a line.
    """
    panels = {metric: pairs for metric in report.table.metrics if len(pairs := _pairs(report, metric)) > 2}
    if not panels:
        return None
    from scipy.stats import kendalltau

    rows = max(len(pairs) for pairs in panels.values())
    figure = _new_figure(3.9 * len(panels), 0.26 * rows + 1.2)
    for axes, (metric, pairs) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        pairs.sort(key=lambda pair: pair[1], reverse=metric.better == "lower")
        labels, reported, measured = zip(*pairs, strict=True)
        heights = range(len(pairs))
        axes.plot(measured, heights, color="0.75", linewidth=1)
        axes.scatter(measured, heights, s=28, color=COLOUR, zorder=3)
        axes.set_yticks(
            heights,
            [f"{label}  {metric.reported(value)}" for label, value in zip(labels, reported, strict=True)],
        )
        axes.tick_params(labelsize=7.5)
        axes.grid(axis="x", color="0.9", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        if metric.better == "lower":
            axes.invert_xaxis()
        axes.set_xlabel(
            f"{report.labels.get(metric.key, metric.label)} {metric.unit}".strip() + ", measured (right is better)",
            fontsize=8,
        )
        tau = kendalltau(reported, measured).statistic
        axes.set_title(f"paper's {metric.label}, worst to best: τ = {tau:.2f}", fontsize=8.5)
    figure.suptitle(f"{_caption(report)}: rows in the paper's order, with Kendall's τ", fontsize=9)
    return figure


def samples(report: TableReport, results: Results) -> "Figure | None":
    """Show the first samples of every generative row, seed 0, as they are stored."""
    strips = list(_strips(report, results))
    if not strips:
        return None
    figure = _new_figure(8.2, 0.5 * len(strips) + 0.5)
    for axes, (label, images) in zip(figure.subplots(len(strips), 1, squeeze=False)[:, 0], strips, strict=True):
        strip = np.concatenate(
            [np.pad(image, ((0, 0), (0, 1), (0, 1)), constant_values=255) for image in images], axis=2
        )
        picture = strip.transpose(1, 2, 0)
        if picture.shape[2] == 1:
            axes.imshow(picture[:, :, 0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        else:
            axes.imshow(picture, interpolation="nearest")
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    figure.suptitle(f"{_caption(report)}: the first {SAMPLES_SHOWN} samples of each row, not selected", fontsize=9)
    return figure


def _pairs(report: TableReport, metric: Metric) -> list[tuple[str, float, float]]:
    """Return label, reported and measured value of every row that has both."""
    found = []
    for row in report.rows:
        for cell in row.cells:
            if cell.metric is metric and cell.reported is not None and cell.measured and isfinite(cell.measured.mean):
                found.append((row.row.key, cell.reported, cell.measured.mean))
    return found


def _strips(report: TableReport, results: Results) -> Iterator[tuple[str, np.ndarray]]:
    first = report.frame[report.frame["seed"] == 0].drop_duplicates(["row", "evaluation"])
    for row, run, evaluation in first[["row", "run", "evaluation"]].itertuples(index=False):
        path = results.runs / run / "evaluations" / evaluation / "samples.npy"
        if not path.exists():
            continue
        label = row
        for metric in report.table.metrics:
            of_row = report.frame[(report.frame["row"] == row) & (report.frame["metric"] == metric.key)]
            if metric.quantity == "frechet_distance" and len(of_row):
                label = f"{row}  {report.labels[metric.key]} {metric.measured(float(of_row['value'].iloc[0]))}"
        yield label, load_array(path, mapped=True)[:SAMPLES_SHOWN]


def _caption(report: TableReport) -> str:
    return f"{report.paper.name} Table {report.table.number}, scale {report.scale.name}"


def _new_figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
