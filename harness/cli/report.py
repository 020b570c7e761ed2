"""`harness report`: paper and measured side by side, on the terminal and in files."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.bundling import bundle_up, check_bundle
from harness.cli.settings import Settings, also_option, find_with_readings, json_option, print_json, scale_option
from harness.cli.shown import showing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.report.build import ExhibitReport

FORMATS = ("latex", "pdf", "markdown", "csv", "json", "html")
FURTHER = ("precision", "recall", "density", "coverage")


@click.command("report")
@click.argument("exhibits", nargs=-1, metavar="[TABLE|FIGURE...]")
@scale_option
@click.option("--format", "formats", default=",".join(FORMATS), help=f"Files to write, of: {','.join(FORMATS)}.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw the figures too.")
@click.option("--claims", is_flag=True, help="Print the ledger of claims instead: holds, fails, undecided, and why.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a cell FAILs.")
@also_option
@click.option("--with", "further", default="", metavar="METRICS", help=f"Further columns, of: {','.join(FURTHER)}.")
@click.option("--bundle", type=click.Path(path_type=Path), metavar="FILE.zip|FOLDER",
              help="Write the records behind the report too, to hand them on.")  # fmt: skip
@json_option
@click.pass_obj
@showing
def report_command(
    settings: Settings,
    exhibits: tuple[str, ...],
    scale: str,
    formats: str,
    figures: bool,
    claims: bool,
    strict: bool,
    also: tuple[str, ...],
    further: str,
    bundle: Path | None,
    as_json: bool,
) -> int:
    """Paper and measured values side by side, verdicts, claims, figures. Partial results are normal.

    \b
    Examples:
      python -m harness report                   every table and figure
      python -m harness report table6 figure8
      python -m harness report --claims          what of the paper's sentences holds
      python -m harness report table6 --format latex
      python -m harness report table6 --with precision,recall
      python -m harness report --json
      python -m harness report --bundle mine.zip     one file for a colleague
      python -m harness report --from mine.zip
    """
    from harness.report.build import build
    from harness.report.ledger import summary, verdicts
    from harness.spec import metrics

    wanted = _names("format", formats, FORMATS)
    if "pdf" in wanted and "latex" not in wanted:
        wanted.append("latex")
    if bundle:
        check_bundle(settings, bundle)
    columns = {metric.key: metric for metric in metrics.FURTHER}
    shown = tuple(columns[name] for name in _names("metric", further, FURTHER))
    results = settings.results
    selection = find_with_readings(exhibits or settings.usual, also)
    reports = []
    with drawn_side_by_side(results) if figures and not (as_json or claims) else nullcontext() as pictures:
        for paper, exhibit in selection:
            reports.append(build(paper, exhibit, paper.scale(scale), results, shown))
            if pictures:
                pictures.add(reports[-1])
        for report in reports if not (as_json or claims) else ():
            _show(settings, report, wanted, pictures, in_full=bool({report.exhibit.name, report.name} & set(exhibits)))
    if as_json:
        _print_json(reports, claims)
    elif claims:
        _tell_claims(settings, reports)
    else:
        _write_frame(settings, reports, wanted)
        click.echo(verdicts(reports))
        if any(report.decisions for report in reports):
            click.echo(summary(reports))
    if bundle:
        bundle_up(settings, bundle, reports)
    return 1 if strict and any(report.failures for report in reports) else 0


def _names(what: str, given: str, allowed: tuple[str, ...]) -> list[str]:
    """Return the names in a list with commas, each of which has to be allowed."""
    from harness.spec.errors import unknown

    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in allowed:
            raise unknown(what, name, allowed)
    return names


def _print_json(reports: "list[ExhibitReport]", claims: bool) -> None:
    from harness.report import ledger
    from harness.report.data import FORMAT, to_json

    if claims:
        print_json({"format": FORMAT, "claims": ledger.to_json(reports)})
        return
    documents: dict[str, list[object]] = {"tables": [], "figures": []}
    for report in reports:
        documents[f"{report.exhibit.kind}s"].append(to_json(report))
    print_json({"format": FORMAT, **documents})


def _tell_claims(settings: Settings, reports: "list[ExhibitReport]") -> None:
    from harness.report import ledger
    from harness.report.files import write_claims

    click.echo(ledger.terminal(reports))
    for path in write_claims(reports, settings.results):
        settings.say(f"wrote {path}")


def _show(
    settings: Settings, report: "ExhibitReport", formats: list[str], figures: bool, in_full: bool
) -> "list[Path]":
    """Print an exhibit, write its files, and return the drawn ones.

    Tables are printed in full, figures in a line unless they are asked for by name.
    """
    from harness.report.figures import write_figures
    from harness.report.files import write
    from harness.report.plain import brief, terminal

    click.echo(terminal(report) if in_full or report.exhibit.kind == "table" else brief(report))
    alone = [name for name in formats if name != "pdf"]
    written = (write_figures(report, settings.results) if figures else []) + write(report, alone, settings.results)
    if written:
        settings.say(f"wrote {', '.join(path.name for path in written)}\nto {written[0].parent}\n")
    return drawn


def _write_frame(settings: Settings, reports: "list[ExhibitReport]", formats: list[str]) -> None:
    """Write what holds the exhibits together: the document, its PDF, and the ledger."""
    from harness.report.files import write_claims, write_document, write_pdf

    if "markdown" in formats:
        write_claims(reports, settings.results)
    for paper in {report.paper.name: report.paper for report in reports}.values() if "latex" in formats else ():
        of_paper = [report for report in reports if report.paper.name == paper.name]
        source = write_document(paper, of_paper, settings.results)
        made = write_pdf(source, of_paper) if "pdf" in formats else None
        settings.say(f"{made.pdf if made and made.pdf else source}: all of it in one document")
        if made and made.problem:
            click.echo(made.problem, err=True)
