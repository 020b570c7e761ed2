"""`harness verify`: hashes the files of results again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option
from harness.cli.paths import PathType
from harness.cli.result_source import bundle_of, reference_advice
from harness.cli.settings import Settings, find_runs, print_json
from harness.errors import SpecError

if TYPE_CHECKING:
    from harness.store.verification import Checked


@click.command("verify")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--from", "source", type=PathType(), metavar="BUNDLE", help="Verify a bundle instead.")
@json_option
@click.pass_obj
def verify_command(settings: Settings, runs: tuple[str, ...], source: Path | None, as_json: bool) -> int:
    """Hash the files of results again: weights, records, arrays, curves, checkpoints and shared features.

    RUN is the beginning of a run's id; without one, all runs, shared files and decisions are checked. Prints a line for
    each problem, with its mend, and changes nothing. The exit code is 1 if there is a problem.

    \b
    Examples:
      python -m harness verify
      python -m harness verify 679901 --json
      python -m harness verify --from results/reference
    """
    source = source or bundle_of(settings)
    found = list(_shown(settings, _bundle(source, runs) if source is not None else _own(settings, runs)))
    if not found:
        advice = reference_advice(settings, source, "verify", "verifies")
        raise SpecError(f"no runs in {source or settings.results_root}: nothing to verify{advice}")
    problems = [checked for checked in found if checked.problem]
    checked_runs = len({checked.run for checked in found if checked.run is not None})
    if as_json:
        print_json(
            {
                "runs": checked_runs,
                "files": len(found),
                "problems": [
                    {"run": each.run, "file": str(each.path), "problem": each.problem, "mend": each.mend}
                    for each in problems
                ],
            }
        )
        return int(bool(problems))
    for checked in problems:
        click.echo(str(checked))
    result = "all intact" if not problems else "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    click.echo(f"{len(found)} files of {checked_runs} {'run' if checked_runs == 1 else 'runs'}: {result}")
    return int(bool(problems))


def _own(settings: Settings, runs: Sequence[str]) -> "Iterator[Checked]":
    """Yield the files of the chosen runs, or of all runs with the shared files."""
    from harness.store.verification import checked_cache, checked_decisions, checked_run

    results = settings.results
    for directory in find_runs(settings, runs, None, ()) if runs else results.all():
        yield from checked_run(directory)
    if not runs:
        yield from checked_cache(results)
        yield from checked_decisions(results)


def _bundle(source: Path, runs: Sequence[str]) -> "Iterator[Checked]":
    """Verify a bundle against its manifest, then yield its records.

    Raises `BundleError` if a file differs from the manifest.
    """
    from harness.bundle.reading import open_bundle
    from harness.store.verification import checked_records

    if runs:
        raise SpecError(f"a bundle is verified as a whole: leave out {runs[0]}")
    with open_bundle(source) as bundle:
        for directory in bundle.results.all():
            for checked in checked_records(directory, directory.vouchers(), "measure it again where it was computed"):
                yield checked.at(source / checked.path.relative_to(bundle.results.root))


def _shown(settings: Settings, found: "Iterator[Checked]") -> "Iterator[Checked]":
    """Yield the checked files, and show their number and the present one on a terminal."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(stderr=True, no_color=not settings.color or None)
    columns = TextColumn("hashing: {task.completed} files, {task.description}")
    with Progress(columns, console=console, transient=True, disable=settings.quiet or not console.is_terminal) as shown:
        task = shown.add_task("")
        for checked in found:
            shown.update(task, advance=1, description=checked.path.name)
            yield checked
