"""The first samples of a run as one small picture, from the arrays that its evaluations saved."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.report.figures.pictures import pictures_of
from harness.store.artefacts import load_artefact
from harness.store.names import EVALUATION, named
from harness.store.run_directory import RunDirectory

COLUMNS, ROWS = 8, 2
LARGEST = 64
"""Larger samples are subsampled to at most this many pixels a side, to keep the page small."""
GAP = 1


def sheet_of(directory: RunDirectory, most_bytes: int) -> dict[str, Any] | None:
    """Return the first samples as a PNG in a data URI, with their number and path; None if there are no pictures.

    If the data URI exceeds `most_bytes`, `src` is None.
    """
    for folder in named(directory.evaluations, EVALUATION):
        path = folder / "samples.npy"
        if not path.exists():
            continue
        samples = load_artefact(path)
        shown = pictures_of(directory, np.asarray(samples[: COLUMNS * ROWS]))
        if shown is None:
            continue
        uri = data_uri(_png(_sheet(shown)), "image/png")
        return {
            "src": uri if len(uri) <= most_bytes else None,
            "shown": len(shown),
            "of": len(samples),
            "size": samples.shape[2],
            "path": f"runs/{directory.id}/{path.relative_to(directory.path).as_posix()}",
        }
    return None


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tile images `(n, c, h, w)` row by row into one image `(H, W, c)` on a white background."""
    stride = -(-max(images.shape[2:]) // LARGEST)
    images = images[:, :, ::stride, ::stride]
    count, channels, height, width = images.shape
    columns = min(COLUMNS, count)
    lines = -(-count // columns)
    sheet = np.full((lines * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + GAP), index % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return sheet


def _png(sheet: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sheet.squeeze(2) if sheet.shape[2] == 1 else sheet).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
