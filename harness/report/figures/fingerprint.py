"""The fingerprint of the inputs of an exhibit's pictures: equal fingerprints give equal pictures."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from harness.registry.exhibit import plots_of
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import title
from harness.store.names import ARRAY, EVALUATION, named
from harness.store.results import Results

DRAWN_WITH = ("matplotlib", "numpy", "pillow", "fonttools")


def fingerprint(report: ExhibitReport, results: Results) -> str:
    """Return the hash of an exhibit, its measurements, the files that its plots read, and the code.

    Files are compared by name, size and modification time, as in `make`.
    """
    digest = hashlib.sha256(code())
    for package in sorted({plot.implementation.partition(".")[0] for plot in plots_of(report.exhibit).values()}):
        digest.update(_package(package))
    inputs = (title(report), report.exhibit, report.labels, report.series, report.measured, report.wanted)
    for part in (*map(repr, inputs), *_kept(report, results)):
        digest.update(f"{part}\0".encode())
    return digest.hexdigest()


@cache
def code() -> bytes:
    """Return the hash of the harness's sources and of the versions of its plotting libraries."""
    digest = hashlib.sha256(_package("harness"))
    digest.update(" ".join(map(version, DRAWN_WITH)).encode())
    return digest.digest()


@cache
def _package(name: str) -> bytes:
    """Return the hash of the sources of a package or module."""
    digest = hashlib.sha256()
    found = find_spec(name.partition(":")[0])
    for root in map(Path, (found.submodule_search_locations or [found.origin or ""]) if found else ()):
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.digest()


def _kept(report: ExhibitReport, results: Results) -> Iterator[str]:
    """Yield the files of the runs that plots may show individually: those with seed 0, measured or not."""
    asked = (report.scale.shrink(row.row.run).id for row in report.rows if row.row.run)
    measured = (found.first_run for found in report.series.values() if found.first_run)
    for run in sorted({*asked, *measured}):
        folder = results.runs / run
        arrays = (path for kept in named(folder / "evaluations", EVALUATION) for path in named(kept, ARRAY))
        for path in (folder / "metrics.jsonl", *arrays):
            if path.exists():
                found = path.stat()
                yield f"{path.relative_to(results.runs)} {found.st_size} {found.st_mtime_ns}"
