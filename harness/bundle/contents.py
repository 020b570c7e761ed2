"""The contents of a bundle: the records of an exhibit's runs, and the parts of their arrays that figures draw."""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from harness.bundle.manifest import BundleError, Excerpt
from harness.errors import SpecError, given
from harness.registry.cells import cells
from harness.registry.exhibit import plots_of
from harness.registry.figures import Plot
from harness.regular_files import open_unlinked
from harness.report.figures.row_data import array_path
from harness.report.results.report import ExhibitReport
from harness.store.artefacts import load_artefact, recorded_sha256
from harness.store.curves import numbers_of
from harness.store.decisions import path_of
from harness.store.links import refuse_links
from harness.store.names import numbered
from harness.store.rechecks import recheck_path, rechecked_evaluations
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

LOG_LINES = 40
LOG_BYTES = 2**16
MAX_FILE_BYTES = 2**28
"""The maximum size of any file of a bundle, far above that of a record."""


@dataclass(frozen=True)
class BundleEntry:
    """A file of a bundle: its name, its content, and the excerpt if it is part of an array."""

    name: str
    content: bytes
    excerpt: Excerpt | None = None


def runs(reports: Sequence[ExhibitReport], results: Results) -> list[RunDirectory]:
    """Return the existing runs of some exhibits, all seeds included, ordered by id."""
    found: dict[str, RunDirectory] = {}
    for report in reports:
        for seed in count():
            of_seed = cells(report.paper, report.exhibit, report.exhibit.rows, report.scale, [seed])
            asked = {cell.run.id: results.directory(cell.run) for cell in of_seed}
            present = {id: directory for id, directory in asked.items() if directory.config.exists()}
            if not present:
                break
            found |= present
    return [found[id] for id in sorted(found)]


def records(directories: Sequence[RunDirectory], results: Results) -> Iterator[BundleEntry]:
    """Yield the records of runs unchanged and the end of each log, without weights, checkpoints, arrays and leases.

    Records that do not count are left out.
    """
    for directory in directories:
        refuse_links(directory.path)
        paths = [directory.config, directory.training, directory.outcome]
        paths += [*numbered(directory.segments, after=".json").values(), *directory.counting_records()]
        paths += [directory.requests / f"{evaluation.id}.json" for evaluation in directory.missing()]
        if rechecked_evaluations(directory):  # a damaged or outdated one is left out
            paths.append(recheck_path(directory))
        for path in paths:
            if (content := _read(path)) is not None:
                yield BundleEntry(path.relative_to(results.root).as_posix(), content)
        if (curve := _read(directory.metrics)) is not None:
            yield BundleEntry(directory.metrics.relative_to(results.root).as_posix(), _whole_lines(curve))
        if (log := _read(directory.log, end=LOG_BYTES)) is not None:
            yield BundleEntry(directory.log.relative_to(results.root).as_posix(), _tail(log))


def decisions(reports: Sequence[ExhibitReport], results: Results) -> Iterator[BundleEntry]:
    """Yield the records of the decisions on the claims of some reports, which set the level of their intervals."""
    scales, papers = {report.scale.name for report in reports}, {report.paper.name for report in reports}
    for decision in results.decisions:
        if decision.scale in scales and papers.intersection(decision.papers):
            path = path_of(results.root, decision.id)
            yield BundleEntry(path.relative_to(results.root).as_posix(), decision.content())


def arrays(reports: Sequence[ExhibitReport], results: Results) -> Iterator[BundleEntry]:
    """Yield the leading rows that figures draw of each array, for the runs with seed 0."""
    wanted: dict[Path, int | None] = {}
    for report in reports:
        for plot in plots_of(report.exhibit).values():
            for name, rows in _arrays_of(plot).items():
                for row in report.rows:
                    if path := array_path(report, results, row.row, name):
                        before = wanted.get(path, 0)
                        wanted[path] = None if rows is None or before is None else max(rows, before)
    for path, rows in wanted.items():
        yield _excerpt(path, rows, results)


def _arrays_of(plot: Plot) -> Mapping[str, int | None]:
    """Return the number of rows that a plot reads of each array, None for all.

    Raises `SpecError` if the plot declares anything but a mapping.
    """
    found: Any = plot.arrays
    if not isinstance(found, Mapping):
        raise SpecError(
            f"plot {type(plot).__name__}: arrays is {given(found)}, not a mapping from names of arrays to numbers of "
            f"rows (None for all)"
        )
    return found


def report_files(papers: Sequence[str], results: Results) -> Iterator[BundleEntry]:
    """Yield the files of written reports unchanged."""
    for paper in papers:
        for path in sorted((results.report / paper).rglob("*")):
            name = path.relative_to(results.report)
            hidden = any(part.startswith(".") for part in name.parts)
            if path.is_file() and not path.is_symlink() and not hidden and (content := _read(path)) is not None:
                yield BundleEntry((Path("report") / name).as_posix(), content)


def _excerpt(path: Path, rows: int | None, results: Results) -> BundleEntry:
    whole = load_artefact(path)
    name = path.relative_to(results.root).as_posix()
    if rows is None or rows >= len(whole):
        return BundleEntry(name, path.read_bytes())
    content = io.BytesIO()
    np.save(content, np.array(whole[:rows]), allow_pickle=False)
    return BundleEntry(name, content.getvalue(), Excerpt(rows=rows, of=len(whole), sha256=recorded_sha256(path)))


def _whole_lines(curve: bytes) -> bytes:
    """Return a curve without lines that a crash has truncated."""
    return b"".join(line for line in curve.splitlines(keepends=True) if numbers_of(line) is not None)


def _tail(log: bytes) -> bytes:
    return b"".join(log.splitlines(keepends=True)[-LOG_LINES:])


def _read(path: Path, end: int | None = None) -> bytes | None:
    """Return a file's content, or its last `end` bytes, None if it does not exist.

    Raises `BundleError` if it is a link or anything but a regular file, or larger than a bundle may hold.
    """
    try:
        with open_unlinked(path) as file:
            size = os.fstat(file.fileno()).st_size
            if end is not None:
                file.seek(max(size - end, 0))
            elif size > MAX_FILE_BYTES:
                raise BundleError(f"cannot bundle {path}: it has {size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
            return file.read(MAX_FILE_BYTES if end is None else end)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"cannot bundle {path}: {error.strerror or error}") from None
