"""Shared by all figures: fonts and colours, title and caption, panels and points."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from math import ceil, nan
from textwrap import wrap
from typing import Any, Literal

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import Bbox

from harness.report.results.cells import Measured
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import title

WIDTH = 7.0
"""The text width of a page in inches: figures are printed at the size at which they are drawn."""
LARGE, MEDIUM, SMALL = 8.5, 7.5, 6.5
BLUE, ORANGE, GREEN, RED, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "0.55"
COLOURS = (BLUE, ORANGE, GREEN, RED, SKY, "#CC79A7", "#000000")
"""Okabe and Ito's palette. Some of its colours are equal in greyscale, so every curve has its own marker too."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
MOST_NAMES = 6
"""A caption names this many rows and counts the others."""
STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.labelsize": MEDIUM,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": MEDIUM,
    "figure.dpi": 300,
    "font.size": MEDIUM,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "image.interpolation": "nearest",
    "legend.fontsize": MEDIUM,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # publishers reject matplotlib's default Type 3 fonts
    "svg.hashsalt": "harness",  # reproducible ids
    "text.parse_math": False,  # row labels may contain dollar signs
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
}


def style() -> AbstractContextManager[None]:
    """Return the context for drawing and saving figures, independent of the user's matplotlibrc."""
    return matplotlib.style.context(["default", STYLE])


def figure_with_caption(report: ExhibitReport, width: float, height: float, *remarks: str) -> tuple[Figure, SubFigure]:
    """Return a figure and its body, a subfigure of this size in inches to draw on.

    The exhibit's title is above the body. The caption below it has the remarks, the runs shown, and the rows that are
    missing.
    """
    caption = " ".join([*remarks, *_runs(report), *_missing(report), *_left_out(report)])
    heading, caption_lines = _lines(title(report), width, 0.68 * LARGE), _lines(caption, width, 0.57 * SMALL)
    heights = [_height(heading, LARGE), height, _height(caption_lines, SMALL)]
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    head, body, foot = figure.subfigures(3, 1, height_ratios=heights, squeeze=False)[:, 0]
    left = 0.05 / width
    head.text(left, 0.5, "\n".join(heading), va="center", fontsize=LARGE, fontweight="bold")
    foot.text(left, 0.5, "\n".join(caption_lines), va="center", fontsize=SMALL, color="0.3")
    return figure, body


def freeze_layout(figure: Figure) -> None:
    """Lay out a figure once for all formats, and round off the last digits, which vary between runs of the solver."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine(None)
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)))


def panels(body: SubFigure, count: int, columns: int, heights: Sequence[float] | None = None) -> list[Axes]:
    """Return `count` axes in lines of `columns`, with relative `heights` of the lines."""
    axes = body.subplots(ceil(count / columns), columns, squeeze=False, height_ratios=heights).ravel()
    for unused in axes[count:]:
        unused.remove()
    return list(axes[:count])


def balanced(count: int, most: int) -> int:
    """Return the number of columns for the fewest lines of at most `most` panels, filled as evenly as possible."""
    return ceil(count / ceil(count / most))


def leave_empty(axes: Axes, why: str) -> None:
    """Draw an empty frame with the reason in it."""
    axes.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
    axes.spines[:].set(visible=True, color="0.8", linestyle=(0, (4, 4)))
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", va="center", color=GREY)


def draw_measured(axes: Axes, points: Iterable[tuple[float, Measured | None]], **look: Any) -> None:
    """Draw a curve of means with bars for their standard deviations, skipping points that are not measured."""
    known = [(x, measured) for x, measured in points if measured is not None]
    if known:
        xs, means, deviations = zip(*((x, measured.mean, measured.sd or nan) for x, measured in known), strict=True)
        axes.plot(xs, means, **look)
        axes.errorbar(xs, means, deviations, fmt="none", ecolor=look["color"], elinewidth=0.8)


def draw_reported(
    axes: Axes, report: ExhibitReport, points: Iterable[tuple[float, float | None, float | None]], **look: Any
) -> None:
    """Draw rings for the paper's values, with bars for the printed deviations, if values are comparable.

    Points are x, value and standard deviation.
    """
    known = [(x, value, sd) for x, value, sd in points if value is not None]
    if known and report.scale.comparable:
        xs, values, deviations = zip(*known, strict=True)
        look = {"linestyle": "none", "markersize": 7, "markeredgewidth": 0.7, "fillstyle": "none", **look}
        axes.plot(xs, values, **look, label="the paper's value")
        if any(sd is not None for sd in deviations):
            bars = [nan if sd is None else sd for sd in deviations]
            axes.errorbar(xs, values, bars, fmt="none", ecolor=look["color"], elinewidth=0.5, capsize=2.5)


def reported_bars(report: ExhibitReport) -> list[str]:
    """Return the remark on the bars of the paper's values, if it prints deviations and values are comparable."""
    if report.scale.comparable and any(cell.reported_sd is not None for row in report.rows for cell in row.cells):
        return ["Bars with caps are the standard deviations that the paper prints."]
    return []


def _runs(report: ExhibitReport) -> Iterator[str]:
    on: dict[str, dict[str, str]] = {}
    for (row, _, _), found in report.series.items():
        if id := found.first_run:
            run = report.exhibit.row(row).run
            on.setdefault(found.data, {}).setdefault(id, f"{run.name if run else ''} ({id})")
    if groups := [f"{', '.join(named.values())} on {data}" for data, named in on.items()]:
        yield f"Runs with seed 0: {'; '.join(groups)}."


def _missing(report: ExhibitReport) -> Iterator[str]:
    measured = {row for row, _, _ in report.series}
    absent = [row.row for row in report.rows if row.row.key not in measured and row.row.setting is None]
    if foreign := [row.key for row in absent if row.run is None and set(row.reported) == {None}]:
        yield f"Not run here: {_some(foreign)}."
    if waiting := [row.key for row in absent if row.run]:
        yield f"Not measured yet: {_some(waiting)}."
    if report.measured < report.wanted:
        yield f"{report.measured} of {report.wanted} values are measured."


def _left_out(report: ExhibitReport) -> Iterator[str]:
    if report.whole:
        yield f"{len(report.rows)} of {len(report.whole.rows)} rows are shown."


def _some(names: list[str]) -> str:
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join(names[:MOST_NAMES] + more)


def _lines(text: str, width: float, letter: float) -> list[str]:
    """Wrap a text to lines of `width` inches, at `letter` points per character."""
    return wrap(text, int(72 * (width - 0.1) / letter))


def _height(lines: list[str], size: float) -> float:
    """Return the height of some lines with a margin, in inches."""
    return (1.25 * len(lines) + 0.8) * size / 72
