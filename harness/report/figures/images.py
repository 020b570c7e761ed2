"""Mosaics of images with thin white lines between them, every pixel a square."""

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.report.figures.base import LARGE, style
from harness.store.files import write_atomically

FINEST = 32
"""Smaller images are enlarged to about this many pixels, so that the lines between them are thin."""


def write_mosaic(images: NDArray[np.uint8], heading: str, path: Path) -> None:
    """Write a square mosaic of images `(n, c, h, w)` with a heading as PNG."""
    side = ceil(sqrt(len(images)))
    with style():
        figure = Figure(figsize=(7, 7.4), layout="constrained")
        show_mosaic(figure.subplots(), in_lines(images, side), side)
        figure.suptitle(heading, fontsize=LARGE, wrap=True)
        write_atomically(path, lambda file: figure.savefig(file, format="png", metadata={"Title": heading}))


def show_mosaic(axes: Axes, lines: Sequence[NDArray[np.uint8]], columns: int) -> None:
    """Draw lines of images; every image is one unit wide and high on the axes."""
    picture = mosaic(lines, columns)
    grey = picture.shape[2] == 1
    extent = (0, columns, len(lines), 0)
    axes.imshow(picture[:, :, 0] if grey else picture, cmap="gray", vmin=0, vmax=255, extent=extent)
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def mosaic(lines: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    """Return the picture `(height, width, c)` of lines of images `(n, c, h, w)`, white where n is below `columns`."""
    _, channels, height, width = lines[0].shape
    zoom = max(1, FINEST // height)
    gap = zoom * height // FINEST or 1
    shape = (len(lines), columns, channels, zoom * height + gap, zoom * width + gap)
    tiles = np.full(shape, 255, dtype=np.uint8)
    for line, images in zip(tiles, lines, strict=True):
        line[: len(images), :, :-gap, :-gap] = images.repeat(zoom, axis=2).repeat(zoom, axis=3)
    picture = tiles.transpose(0, 3, 1, 4, 2).reshape(shape[0] * shape[3], shape[1] * shape[4], channels)
    return picture[:-gap, :-gap]


def in_lines(images: NDArray[np.uint8], columns: int) -> list[NDArray[np.uint8]]:
    """Split images into lines of `columns`."""
    return [images[start : start + columns] for start in range(0, len(images), columns)]
