"""Writes the page of a paper into the results directory."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.registry.exhibit import plots_of
from harness.report.html.page import Picture, contents, page
from harness.report.html.samples import data_uri
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import heading, subject
from harness.store.files import write_bytes
from harness.store.results import Results

SIZE = re.compile(rb'<svg [^>]*?width="([0-9.]+)pt" height="([0-9.]+)pt"')
"""The size in points that Matplotlib writes into an SVG."""
PIXELS_PER_POINT = 4 / 3


def write_pages(reports: Sequence[ExhibitReport], results: Results, drawn: Iterable[Path]) -> list[Path]:
    """Write one page per paper, `report/PAPER/report.html`, of these exhibits, and return the paths.

    `drawn` are the picture files of the exhibits; SVG files are embedded in the page.
    """
    written, vectors = [], {path for path in drawn if path.suffix == ".svg"}
    for name in dict.fromkeys(report.paper.name for report in reports):
        of_paper = [report for report in reports if report.paper.name == name]
        folder = results.report / name
        content = contents(of_paper, results, {r.exhibit.name: _pictures(r, folder, vectors) for r in of_paper})
        path = folder / "report.html"
        write_bytes(path, page(content, content.run_index.details(results)).encode())
        written.append(path)
    return written


def _pictures(report: ExhibitReport, folder: Path, vectors: set[Path]) -> list[Picture]:
    paths = (folder / f"{name}.svg" for name in plots_of(report.exhibit))
    return [picture(report, path.read_bytes()) for path in paths if path in vectors]


def picture(report: ExhibitReport, svg: bytes) -> Picture:
    """Return an SVG picture of an exhibit for the page."""
    alt = f"{heading(report)}: {subject(report)}. The table has its values."
    size = SIZE.search(svg)
    assert size is not None, "Matplotlib writes the size into every SVG"
    width, height = (round(float(points) * PIXELS_PER_POINT) for points in size.groups())
    return Picture(alt, width, height, data_uri(svg, "image/svg+xml"))
