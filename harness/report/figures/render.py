"""Writes the pictures of an exhibit: a figure's plot; for a table, its agreement plot and its samples."""

import io
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import OWN_MODULES
from harness.config.guard import asking
from harness.config.resolve import resolve
from harness.errors import SpecError, given
from harness.registry.exhibit import plots_of
from harness.registry.figures import Plot
from harness.report.figures.build_cache import record, up_to_date
from harness.report.figures.fingerprint import fingerprint
from harness.report.results.report import ExhibitReport
from harness.store.files import StoreError, write_atomically
from harness.store.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

UNDATED: dict[str, dict[str, None]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
"""The formats of pictures, with the metadata to omit because it changes between runs."""
SLOW_IMPORTS = (
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "harness.report.figures.fonts",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "harness.report.figures",
)
"""Slow imports for drawing, done once before processes are forked."""


class RenderError(StoreError):
    """A plot failed; the other files of its exhibit are not affected."""


def write_figures(report: ExhibitReport, results: Results, formats: Sequence[str] = tuple(UNDATED)) -> list[Path]:
    """Draw every plot that has values, byte for byte reproducibly, and return the paths."""
    # matplotlib is slow to import, and most commands draw nothing
    from harness.report.figures.base import freeze_layout, style
    from harness.report.figures.fonts import only_glyphs

    written = []
    with style(), only_glyphs():
        for name, picture in _pictures(report, results):
            freeze_layout(picture)
            for ending in formats:
                path = results.report / report.paper.name / f"{name}.{ending}"
                _save(picture, path, {"format": ending, "metadata": UNDATED[ending]})
                written.append(path)
    return written


class Pictures:
    """Draws exhibits into a results directory, except those whose pictures are up to date."""

    def __init__(self, results: Results, formats: Sequence[str] = tuple(UNDATED)) -> None:
        self._results = results
        self._formats = formats

    def found(self, report: ExhibitReport) -> list[Path] | None:
        """Return the pictures if they are up to date."""
        return up_to_date(*self._cache_entry(report))

    def get_ready(self) -> None:
        """Import the plotting libraries and the harness's own plots."""
        own = {plot.implementation.partition(":")[0] for plot in Plot.__subclasses__()}
        for module in (*SLOW_IMPORTS, *sorted(name for name in own if name.startswith(OWN_MODULES))):
            import_module(module)

    def draw(self, report: ExhibitReport) -> list[Path]:
        """Draw an exhibit, and record its fingerprint."""
        entry = self._cache_entry(report)
        drawn = write_figures(report, self._results, self._formats)
        record(*entry, drawn)
        return drawn

    def _cache_entry(self, report: ExhibitReport) -> tuple[Path, str, str]:
        what = "-".join((report.exhibit.name, *self._formats))
        return self._results.report / report.paper.name, what, fingerprint(report, self._results)


def vectors(report: ExhibitReport, results: Results) -> list[bytes]:
    """Return the pictures of an exhibit as SVG, without writing files."""
    from harness.report.figures.base import freeze_layout, style
    from harness.report.figures.fonts import only_glyphs

    drawn = []
    with style(), only_glyphs():
        for _, picture in _pictures(report, results):
            freeze_layout(picture)
            buffer = io.BytesIO()
            picture.savefig(buffer, format="svg", metadata=UNDATED["svg"])
            drawn.append(buffer.getvalue())
    return drawn


def _pictures(report: ExhibitReport, results: Results) -> Iterator[tuple[str, "Picture"]]:
    """Yield the plots that have values, by file name.

    Raises `RenderError` after drawing the others if one failed.
    """
    from matplotlib.figure import Figure

    failure: RenderError | None = None
    for name, plot in plots_of(report.exhibit).items():
        try:
            with asking(f"{name}: {plot.implementation}"):
                picture = resolve(plot.implementation)(plot, report, results)
                if not isinstance(picture, Figure | None):
                    raise SpecError(f"returns {given(picture)}, not a matplotlib Figure or None")
        except SpecError as error:
            failure = failure or RenderError(str(error))
            continue
        if picture is not None:
            yield name, picture
    if failure:
        raise failure


def _save(picture: "Picture", path: Path, options: dict[str, Any]) -> None:
    write_atomically(path, lambda file: picture.savefig(file, **options))
