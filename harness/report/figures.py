"""Writes the pictures of an exhibit: a figure's drawing; for a table, its agreement with the paper and its samples."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.report.build import ExhibitReport
from harness.spec.drawings import Agreement, Drawing, SampleStrips
from harness.spec.exhibit import Exhibit, Figure
from harness.store.files import write_atomically
from harness.store.run_directory import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

UNDATED: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}}


def write_figures(report: ExhibitReport, results: Results) -> list[Path]:
    """Draw what there are values for, as PNG and PDF, the same to the byte every time, and return the paths."""
    from harness.report.drawings.base import settle, style  # matplotlib takes its time, and most commands draw nothing

    written = []
    with style():
        for name, picture in _pictures(report, results):
            settle(picture)
            for ending, metadata in UNDATED.items():
                path = results.report / report.paper.name / f"{name}.{ending}"
                _save(picture, path, {"format": ending, "metadata": metadata})
                written.append(path)
    return written


def drawings(exhibit: Exhibit) -> dict[str, Drawing]:
    """Return what is drawn of an exhibit, by the names of the files."""
    if isinstance(exhibit, Figure):
        return {exhibit.name: exhibit.drawing}
    return {f"{exhibit.name}-agreement": Agreement(), f"{exhibit.name}-samples": SampleStrips()}


def _pictures(report: ExhibitReport, results: Results) -> Iterator[tuple[str, "Picture"]]:
    for name, drawing in drawings(report.exhibit).items():
        module, _, function = drawing.implementation.partition(":")
        draw: Callable[[Drawing, ExhibitReport, Results], Picture | None]
        draw = getattr(import_module(module), function)
        if picture := draw(drawing, report, results):
            yield name, picture


def _save(picture: "Picture", path: Path, options: dict[str, Any]) -> None:
    write_atomically(path, lambda file: picture.savefig(file, **options))
