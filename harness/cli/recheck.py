"""`harness recheck`: recomputes recorded numbers with other people's libraries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option
from harness.cli.paths import PathType
from harness.cli.result_source import bundle_of, reference_advice
from harness.cli.settings import Settings, find_runs, print_json
from harness.errors import SpecError

if TYPE_CHECKING:
    from harness.recheck.runs import RecheckedRun
    from harness.store.run_directory import RunDirectory


@click.command("recheck")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--from", "source", type=PathType(), metavar="BUNDLE", help="Recheck a bundle instead.")
@json_option
@click.pass_obj
def recheck_command(settings: Settings, runs: tuple[str, ...], source: Path | None, as_json: bool) -> int:
    """Recompute recorded numbers from their stored arrays, with libraries that other people maintain.

    RUN is the beginning of a run's id; without one, all runs are rechecked. The hashes of records and arrays come
    first: damaged files are named, and not used. pytorch-fid and torch-fidelity recompute distances and scores,
    torchmetrics calibration, scikit-learn AUROC, prdc precision to coverage, numpy the rest. Prints a line for each
    number with its tolerance, and the reason where there is none. Each run keeps the outcome, which reports and bundles
    show. The exit code is 1 if a number differs by more than rounding, or a file is damaged.

    \b
    Examples:
      python -m harness recheck
      python -m harness recheck 679901 --json
      python -m harness recheck --from results/reference
    """
    from harness.recheck import table
    from harness.report.results.rechecked import rechecked_json
    from harness.report.writers.rechecked_text import rechecked
    from harness.store.rechecks import rechecked_evaluations

    source = source or bundle_of(settings)
    with _opened(settings, source) as (opened, parts):
        chosen = find_runs(opened, runs, None, ()) if runs else opened.results.all()
        if not chosen:
            where = source or settings.results_root
            advice = reference_advice(settings, source, "recheck", "rechecks")
            raise SpecError(f"no runs in {where}: nothing to recheck{advice}")
        found = list(_rechecked(opened, chosen, parts))
        kept = {each.id: rechecked_evaluations(each) for each in chosen} if parts is not None else {}
    problems = [problem for run in found for problem in run.problems]
    differing = table.overall(found).differing
    if as_json:
        print_json(table.to_json(found) | {"kept": rechecked_json(kept) if kept else None})
        return int(bool(problems or differing))
    for problem in problems:
        click.echo(f"damaged, not rechecked: {problem}")
    for part in filter(None, (table.table(found), *table.reasons(found), table.summary(found))):
        click.echo(part)
    if sentence := rechecked(kept):
        click.echo(f"kept in the bundle: {sentence}")
    return int(bool(problems or differing))


@contextmanager
def _opened(settings: Settings, source: Path | None) -> "Iterator[tuple[Settings, set[Path] | None]]":
    """Open the results, and return the arrays of a bundle that are only a part; None for the user's own results.

    Raises `BundleError` if a file of a bundle differs from its manifest.
    """
    from dataclasses import replace

    from harness.bundle.reading import open_bundle
    from harness.store.hashed import hash_path

    if source is None:
        yield settings, None
        return
    with open_bundle(source) as bundle:
        parts = {bundle.results.root / name for name in bundle.manifest.excerpts}
        # The hash of an excerpt is beside it if the whole array is the one that its record states.
        yield replace(settings, shown=bundle.results), {path for path in parts if hash_path(path).exists()}


def _rechecked(
    settings: Settings, chosen: "Sequence[RunDirectory]", parts: "set[Path] | None"
) -> "Iterator[RecheckedRun]":
    """Yield the rechecked runs, and keep the outcome in each that is the user's own; show the number on a terminal."""
    from rich.console import Console
    from rich.progress import track

    from harness.recheck.runs import recheck_run
    from harness.recheck.stored import References
    from harness.store.files import StoreError

    console = Console(stderr=True, no_color=not settings.color or None)
    references = References(settings.results, settings.data_root)
    hidden = settings.quiet or not console.is_terminal
    for directory in track(chosen, "rechecking", console=console, transient=True, disable=hidden):
        found = recheck_run(directory, references, parts)
        if parts is None:
            try:
                found.save(directory)
            except StoreError as error:  # as in a colleague's results
                click.echo(f"the recheck of {directory.id} is not kept: {error}", err=True)
        yield found
