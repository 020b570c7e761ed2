"""`harness report`: shows paper and measured values side by side, on the terminal and in files."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import also_option, json_option, rows_option, scale_option
from harness.cli.paths import PathType
from harness.cli.result_source import papers_with_results, showing
from harness.cli.settings import Settings, find_for_rows

if TYPE_CHECKING:
    from harness.registry.metrics import Metric

FORMATS = ("latex", "pdf", "markdown", "csv", "json", "html")
PORT = 8765


@click.command("report")
@click.argument("exhibits", nargs=-1, metavar="[TABLE|FIGURE...]")
@scale_option
@rows_option
@click.option("--format", "formats", default=",".join(FORMATS), help=f"Formats of files to write: {','.join(FORMATS)}.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw figures.")
@click.option(
    "--claims",
    is_flag=True,
    help="Print the list of claims instead: holds, fails, undecided, beyond this scale, and why.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if a table or figure FAILs.")
@also_option
@click.option(
    "--with",
    "secondary",
    default="",
    metavar="METRICS",
    help="More columns, such as precision,recall,density,coverage.",
)
@click.option("--serve", is_flag=True, help="Serve the page on this machine, live while runs progress.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port of --serve.")
@click.option("--bundle", type=PathType(), metavar="FILE.zip|FOLDER",
              help="Write the records behind the report too, to share them.")  # fmt: skip
@json_option
@click.pass_obj
@showing
def report_command(
    settings: Settings,
    exhibits: tuple[str, ...],
    scale: str,
    rows: tuple[str, ...],
    formats: str,
    figures: bool,
    claims: bool,
    strict: bool,
    also: tuple[str, ...],
    secondary: str,
    serve: bool,
    port: int,
    bundle: Path | None,
    as_json: bool,
) -> int:
    """Show paper and measured values side by side. Adds verdicts, claims and figures; partial results are normal.

    Named tables and figures are printed whole, others on a line each. Without names, every paper with results.

    \b
    Examples:
      python -m harness report                   the answer, every table and figure in a line, a page, and a PDF
      python -m harness report table6 figure8
      python -m harness report --claims          which of the paper's claims hold
      python -m harness report table6 --rows 'HybViT(dim=*)' --rows 'HybViT(depth=*)'
      python -m harness report table6 --format latex
      python -m harness report table6 --with precision,recall
      python -m harness report --serve           the live page, for a browser on this machine
      python -m harness report --json
      python -m harness report --bundle mine.zip     one file for a colleague
      python -m harness report --from mine.zip
    """
    from harness.cli import reporting
    from harness.cli.reference_times import ReferenceTimes
    from harness.registry.selection import select_rows
    from harness.report.results.report import ExhibitReport, build

    wanted = _names("format", formats, FORMATS)
    if "pdf" in wanted and "latex" not in wanted:
        wanted.append("latex")
    if bundle:
        from harness.cli.bundling import check_bundle

        check_bundle(settings, bundle)
    names = exhibits or settings.default_exhibits
    if names is None:
        names = ("all",) if serve else papers_with_results(settings, scale) or ("all",)
    selection = select_rows(find_for_rows(names, also, rows), rows)
    shown, times = _columns(secondary), ReferenceTimes(settings, scale)

    def built() -> Iterator[ExhibitReport]:
        results = settings.results
        for paper, exhibit, chosen in selection:
            made = build(paper, exhibit, paper.scale(scale), results, shown, chosen)
            waits = made.origin or made.measured < made.wanted
            yield replace(made, remaining_time=times.of(paper, made.exhibit) if waits else times.nothing_left)

    if serve:
        return reporting.serve(settings, {paper.name for paper, *_ in selection}, lambda: list(built()), port, figures)
    with reporting.without_collection():
        writes = not as_json and reporting.can_write(settings)
        pictures = reporting.pictures(settings, wanted) if figures and writes and not claims else None
        reports = []
        for report in built():
            reports.append(report)
            if pictures:  # drawn in parallel while the next exhibits are read
                pictures.add(report)
        if as_json:
            reporting.print_documents(reports, claims)
        elif claims:
            reporting.print_claims(settings, reports, writes)
        else:
            reporting.show_and_write(settings, reports, wanted if writes else [], pictures, in_full=set(exhibits))
    if bundle:
        from harness.cli.bundling import bundle_up

        bundle_up(settings, bundle, reports)
    return 1 if strict and any(report.verdict.word == "FAIL" for report in reports) else 0


def _columns(given: str) -> "tuple[Metric, ...]":
    """Return the secondary metrics with these keys, which some evaluation must measure."""
    from harness.config.evaluations import Evaluation
    from harness.registry.metrics import secondary_metric

    quantities = (name for kind in Evaluation.kinds.values() for name in getattr(kind, "secondary", ()))
    columns = {metric.key: metric for metric in map(secondary_metric, quantities)}
    return tuple(columns[name] for name in _names("metric", given, columns))


def _names(what: str, given: str, allowed: Collection[str]) -> list[str]:
    """Split a comma-separated list; raise an error for a name that is not allowed."""
    from harness.errors import unknown

    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in allowed:
            raise unknown(what, name, allowed)
    return names
