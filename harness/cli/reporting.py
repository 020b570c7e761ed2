"""What `report` does with the reports that it has built: prints, draws, writes, serves."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import click

from harness.cli.settings import INTERRUPTED, Settings, print_json
from harness.report import ledger
from harness.report.build import ExhibitReport
from harness.report.data import FORMAT, to_json
from harness.report.draughts import Draughts
from harness.report.figures import drawn_side_by_side
from harness.report.files import WRITERS, write, write_claims, write_document, write_pdf
from harness.report.html.write import write_pages
from harness.report.plain import brief, terminal
from harness.spec.errors import SpecError
from harness.spec.exhibit import Exhibit
from harness.spec.paper import Paper
from harness.store.files import StoreError

PICTURES = {"markdown": "png", "latex": "pdf", "pdf": "pdf", "html": "svg"}
"""What pictures the formats show."""


def print_documents(reports: Sequence[ExhibitReport], claims: bool) -> None:
    """Print the reports, or the ledger of claims alone, as JSON."""
    if claims:
        print_json({"format": FORMAT, "claims": ledger.to_json(reports)})
        return
    documents: dict[str, list[object]] = {"tables": [], "figures": []}
    for report in reports:
        documents[f"{report.exhibit.kind}s"].append(to_json(report))
    print_json({"format": FORMAT, **documents})


def tell_claims(settings: Settings, reports: Sequence[ExhibitReport]) -> None:
    """Print the ledger of claims, and write it."""
    click.echo(ledger.terminal(reports))
    for path in write_claims(reports, settings.results):
        settings.say(f"wrote {path}")


def pictures(settings: Settings, formats: Sequence[str]) -> Draughts:
    """Return what draws the pictures that some formats show, beside this process."""
    endings = tuple(dict.fromkeys(("png", *(PICTURES[name] for name in formats if name in PICTURES))))
    return drawn_side_by_side(settings.results, endings)


def show_and_write(
    settings: Settings,
    reports: Sequence[ExhibitReport],
    formats: Sequence[str],
    pictures: Draughts | None,
    in_full: Collection[str],
) -> None:
    """Print every exhibit and write its files, then what holds them together.

    Tables are printed in full, figures in a line unless they are named in `in_full`.
    """
    drawn: list[Path] = []
    for report in reports:
        full = report.exhibit.kind == "table" or bool({report.exhibit.name, report.name} & set(in_full))
        click.echo(terminal(report) if full else brief(report))
        drawn += _write(settings, report, formats, pictures)
    _write_together(settings, reports, formats, drawn)
    click.echo(ledger.verdicts(reports))
    if any(report.decisions for report in reports):
        click.echo(ledger.summary(reports))


def serve(
    settings: Settings,
    selection: Sequence[tuple[Paper, Exhibit]],
    build: Callable[[], Sequence[ExhibitReport]],
    port: int,
    figures: bool,
) -> int:
    """Show the page until Ctrl-C, which is the usual end of watching and no error."""
    from harness.report.html.live import LivePage
    from harness.report.html.server import PageServer

    if len(papers := {paper.name for paper, _ in selection}) > 1:
        raise SpecError(f"a page is of one paper: name one of {', '.join(sorted(papers))} with --serve")
    try:
        server = PageServer(LivePage(build, settings.results, figures), port)
        click.echo(f"{server.url} (on this machine only, until Ctrl-C)")
        server.serve()
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _write(settings: Settings, report: ExhibitReport, formats: Sequence[str], pictures: Draughts | None) -> list[Path]:
    """Write the files of an exhibit, and return those that were drawn."""
    drawn = _drawn(report, pictures) if pictures else []
    written = drawn + write(report, [name for name in formats if name in WRITERS], settings.results)
    if written:
        settings.say(f"wrote {', '.join(path.name for path in written)}\nto {written[0].parent}\n")
    return drawn


def _drawn(report: ExhibitReport, pictures: Draughts) -> list[Path]:
    """Return the pictures of an exhibit; where they cannot be drawn, say why and go on."""
    try:
        return pictures.paths(report)
    except StoreError as error:
        click.echo(f"{report.name} is not drawn: {error}", err=True)
        return []


def _write_together(
    settings: Settings, reports: Sequence[ExhibitReport], formats: Sequence[str], drawn: Sequence[Path]
) -> None:
    """Write what holds the exhibits together: the ledger, the document and its PDF, the page."""
    if "markdown" in formats:
        write_claims(reports, settings.results)
    if "latex" in formats:
        for paper in {report.paper.name: report.paper for report in reports}.values():
            of_paper = [report for report in reports if report.paper.name == paper.name]
            source = write_document(paper, of_paper, settings.results)
            made = write_pdf(source, of_paper) if "pdf" in formats else None
            settings.say(f"{made.pdf if made and made.pdf else source}: all of it in one document")
            if made and made.problem:
                click.echo(made.problem, err=True)
    if "html" in formats:
        for path in write_pages(reports, settings.results, drawn):
            settings.say(f"{path}: all of it, for a browser")
