"""`harness compare`: compares two result sets cell by cell."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.advice import DEFAULT_SCALE
from harness.cli.options import also_option, json_option
from harness.cli.paths import PathType
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from harness.compare.sides import Side


@click.command("compare")
@click.argument("a", type=PathType())
@click.argument("b", type=PathType())
@click.argument("exhibits", nargs=-1, metavar="[TABLE|FIGURE...]")
@click.option("--scale", help="Scale.  [default: the scale of a bundle, else laptop]")
@click.option("--metric", "metrics", multiple=True, metavar="KEY", help="Only cells of this metric, such as fid.")
@click.option("--all", "everything", is_flag=True, help="List identical and not significantly different cells too.")
@click.option("--strict", is_flag=True, help="Exit with 1 if a cell differs significantly.")
@also_option
@json_option
@click.pass_obj
def compare_command(
    settings: Settings,
    a: Path,
    b: Path,
    exhibits: tuple[str, ...],
    scale: str | None,
    metrics: tuple[str, ...],
    everything: bool,
    strict: bool,
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Compare two result sets cell by cell. Shows differences, significance, and the parameters that differ.

    A and B are results directories or bundles. Without names, compares all exhibits of the default paper and of every
    other paper with runs in A or B.

    \b
    Examples:
      python -m harness compare results results/reference
      python -m harness compare mine.zip theirs.zip table6 --metric fid
      python -m harness compare results results-of-last-month --all
    """
    from harness.compare.cells import compared
    from harness.compare.parameters import parameters
    from harness.compare.text import Comparison, terminal, to_json
    from harness.errors import unknown
    from harness.registry.papers import find_with_readings

    with ExitStack() as stack:
        one, scale_of_a = stack.enter_context(_side("A", a))
        other, scale_of_b = stack.enter_context(_side("B", b))
        at = scale or scale_of_a or scale_of_b or DEFAULT_SCALE
        selection = find_with_readings(exhibits or ["all", *_papers_in(one, other, at)], also)
        known = {metric.key for _, exhibit in selection for metric in exhibit.metrics}
        for metric in metrics:
            if metric not in known:
                raise unknown("metric", metric, known)
        cells = compared(selection, at, one, other, metrics)
        comparison = Comparison(at, one, other, tuple(cells), tuple(parameters(cells, one, other)))
        if not cells:
            _print_reason(settings, one, other)
        if as_json:
            print_json(to_json(comparison))
        else:
            click.echo(terminal(comparison, everything))
    return 1 if strict and comparison.differs else 0


@contextmanager
def _side(name: str, path: Path) -> "Iterator[tuple[Side, str | None]]":
    """Open a result set, and yield it with its scale if it is a bundle.

    Raises `SpecError` if it has no runs, and `BundleError` if it is a bundle that differs from its manifest.
    """
    from harness.bundle.reading import is_bundle, open_bundle
    from harness.compare.sides import Side
    from harness.errors import SpecError
    from harness.store.results import Results

    if not path.exists():
        raise SpecError(f"{path} does not exist: give a results directory or a bundle")
    if not is_bundle(path):
        yield Side(name, str(path), Results(path)), None
        return
    with open_bundle(path) as bundle:
        yield Side(name, str(path), bundle.results), bundle.manifest.scale


def _papers_in(one: "Side", other: "Side", scale: str) -> list[str]:
    """Return the papers with a run of seed 0 on either side."""
    from harness.errors import SpecError
    from harness.registry.papers import papers

    stored, found = one.stored.keys() | other.stored.keys(), []
    for paper in papers().values():
        with suppress(SpecError):  # `list` and `doctor` report papers whose runs cannot be built
            at = paper.scale(scale)
            runs = (row.run for exhibit in paper.exhibits for row in exhibit.rows if row.run)
            if any(at.shrink(run).id in stored for run in runs):
                found.append(paper.name)
    return found


def _print_reason(settings: Settings, *sides: "Side") -> None:
    """Print to stderr which runs of either side cannot be read here."""
    from harness.report.results.skipped_runs import skipped_runs

    for side in sides:
        for sentence in skipped_runs(side.results):
            if not settings.quiet:
                click.echo(f"{side.name}: {sentence}", err=True)
