"""The results that `report` shows: the user's own, a bundle, or the reference results if there are none yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from harness.advice import command
from harness.cli.paths import PathType
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.store.results import Results

REFERENCE, LABEL = "reference", "reference results"


def showing(command: Callable[..., int]) -> Callable[..., int]:
    """Add `--from` to a command that reads results, and call it with the results to show."""

    @click.option("--from", "source", type=PathType(), metavar="BUNDLE",
                  help="Verify a bundle and show it instead of the results directory.")  # fmt: skip
    @wraps(command)
    def shows(settings: Settings, *, scale: str, source: Path | None, **options: Any) -> int:
        with _shown(settings, source, scale) as (opened, its_scale):
            return command(opened, scale=its_scale, **options)

    return shows


@contextmanager
def _shown(settings: Settings, source: Path | None, scale: str) -> Iterator[tuple[Settings, str]]:
    """Open the results to show, and describe them on stderr unless they are the user's own.

    A bundle is shown at its own scale, unless another one is given. Raises `BundleError` if it differs from its
    manifest.
    """
    given = click.get_current_context().get_parameter_source("scale") is not click.core.ParameterSource.DEFAULT
    from harness.bundle.reading import is_bundle_folder, open_bundle
    from harness.store.results import Results

    root = settings.results_root
    if source is None and is_bundle_folder(root):  # never written into: its reports are kept beside it
        source, root = root, root.absolute().parent
    if source is None and not _reference(settings, scale):
        yield settings, scale
        return
    path = source or root / REFERENCE
    name = REFERENCE if path.absolute() == root.absolute() / REFERENCE else f"from-{path.absolute().stem}"
    with open_bundle(path, Results(root).report / name) as bundle:
        results = bundle.results
        if source is None:
            results.label = LABEL
            _echo(settings, f"no runs in {settings.results_root} yet: showing the reference results in {path}")
        else:
            commits = ", ".join(commit[:9] for commit in bundle.manifest.commits) or "unknown"
            whole = f"{path} is intact: {bundle.manifest.runs} runs, {len(bundle.manifest.files)} files"
            _echo(settings, f"{whole}, scale {bundle.manifest.scale}, commit {commits}")
        _print_skipped(settings, results)
        known = _known(settings, bundle.manifest.exhibits)
        yield replace(settings, shown=results, default_exhibits=known), scale if given else bundle.manifest.scale


def _reference(settings: Settings, scale: str) -> bool:
    """Return whether there are no runs, but reference results of this scale to show instead."""
    from harness.bundle.reading import is_bundle, manifest_of

    path = settings.results_root / REFERENCE
    return is_bundle(path) and not settings.results.all() and manifest_of(path).scale == scale


def papers_with_results(settings: Settings, scale: str) -> tuple[str, ...]:
    """Return the papers of which a run has been requested at a scale."""
    from harness.errors import SpecError
    from harness.registry.cells import cells
    from harness.registry.papers import papers

    present, found = {directory.id for directory in settings.results.all()}, []
    for paper in papers().values() if present else ():
        with suppress(SpecError):  # a paper that cannot be used, or lacks the scale
            its_cells = (cells(paper, exhibit, exhibit.rows, paper.scale(scale), [0]) for exhibit in paper.exhibits)
            if any(cell.run.id in present for of_exhibit in its_cells for cell in of_exhibit):
                found.append(paper.name)
    return tuple(found)


def bundle_of(settings: Settings) -> Path | None:
    """Return the results directory if it is itself a bundle, else None."""
    from harness.bundle.reading import is_bundle_folder

    return settings.results_root if is_bundle_folder(settings.results_root) else None


def reference_advice(settings: Settings, source: Path | None, name: str, does: str) -> str:
    """Return advice to give a command the reference results; empty if there are none or a bundle was given."""
    reference = settings.results_root / REFERENCE
    if source or not reference.is_dir():
        return ""
    return f"; '{command(f'{name} --from {quote(str(reference))}')}' {does} the reference results"


def reference_of(settings: Settings) -> "Results | None":
    """Return the reference results, for the times of their runs; None if there are none.

    They are read where they lie, without being verified: only their times are used.
    """
    from harness.bundle.reading import is_bundle_folder
    from harness.store.results import Results

    path = settings.results_root / REFERENCE
    return Results(path, label=LABEL) if is_bundle_folder(path) else None


def shown_reference(settings: Settings, scale: str) -> "Results | None":
    """Return the reference results if `report` shows them at this scale, as there are no runs yet."""
    return reference_of(settings) if _reference(settings, scale) else None


def _known(settings: Settings, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the exhibits of a bundle that exist in this version, and report the others."""
    from harness.registry.papers import papers

    every = {f"{paper.name}/{exhibit.name}" for paper in papers().values() for exhibit in paper.exhibits}
    if unknown := [name for name in names if name not in every]:
        _echo(settings, f"skipped, because no installed paper has it: {', '.join(unknown)}")
    return tuple(name for name in names if name in every)


def _print_skipped(settings: Settings, results: "Results") -> None:
    from harness.report.results.skipped_runs import skipped_runs

    for sentence in skipped_runs(results):
        _echo(settings, sentence)


def _echo(settings: Settings, line: str) -> None:
    if not settings.quiet:
        click.echo(line, err=True)
