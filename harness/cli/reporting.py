"""Output of `report`: prints, draws, writes and serves the reports."""

import gc
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from harness.advice import command
from harness.cli import streams
from harness.cli.settings import Settings, print_json
from harness.errors import SpecError
from harness.exit_codes import ExitCode
from harness.report.figures.parallel import ParallelRenderer
from harness.report.figures.render import Pictures
from harness.report.html.write import write_pages
from harness.report.latex.typeset import Typeset
from harness.report.results.report import ExhibitReport
from harness.report.write import WRITERS, write, write_claims, write_document, write_pdf
from harness.report.writers import answer, claims_list
from harness.report.writers.csv_json import FORMAT, to_json
from harness.report.writers.overview import overview
from harness.report.writers.text_markdown import terminal
from harness.store.files import FORBIDDEN, StoreError

PICTURES = {"markdown": "png", "latex": "pdf", "pdf": "pdf", "html": "svg"}
"""The picture format that each file format includes."""
MOST_NAMES = 20
"""The largest number of written files that is listed by name instead of counted."""


@contextmanager
def without_collection() -> Iterator[None]:
    """Disable garbage collection: reports are needed to the end, and collecting takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def print_documents(reports: Sequence[ExhibitReport], claims: bool) -> None:
    """Print the reports, or the list of claims alone, as JSON."""
    answers = {name: answer.to_json(of_paper) for name, of_paper in answer.by_paper(reports).items()}
    if claims:
        print_json({"format": FORMAT, "answers": answers, "claims": claims_list.to_json(reports)})
        return
    documents: dict[str, list[object]] = {"tables": [], "figures": []}
    for report in reports:
        documents[f"{report.exhibit.kind}s"].append(to_json(report))
    print_json({"format": FORMAT, "answers": answers, **documents})


def print_claims(settings: Settings, reports: Sequence[ExhibitReport], writes: bool) -> None:
    """Print the list of claims and write it, if possible."""
    click.echo(claims_list.terminal(reports))
    for path in write_claims(reports, settings.results) if writes else ():
        settings.echo(f"wrote {path}")


def can_write(settings: Settings) -> bool:
    """Return whether report files can be written; print a line if not, as in a colleague's results."""
    folder = settings.results.report
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        if error.errno not in FORBIDDEN:
            return True  # writing the files says what is wrong
        copies = f"'{command('report --bundle mine.zip')}' copies the records, and "
        how = "" if settings.shown else f"{copies}'python -m harness report --from mine.zip' writes files"
        how = how or "give --results a folder that you may write"
        click.echo(f"no files: {folder} cannot be written ({error.strerror}); {how}", err=True)
        return False


def pictures(settings: Settings, formats: Sequence[str]) -> ParallelRenderer:
    """Return the renderer of the pictures that some formats include."""
    endings = tuple(dict.fromkeys(("png", *(PICTURES[name] for name in formats if name in PICTURES))))
    return ParallelRenderer(Pictures(settings.results, endings))


def show_and_write(
    settings: Settings,
    reports: Sequence[ExhibitReport],
    formats: Sequence[str],
    pictures: ParallelRenderer | None,
    in_full: Collection[str],
) -> None:
    """Print the answers, and write the files of every exhibit, pictures last because they take longest.

    Exhibits that are named in `in_full` are printed whole, as is a single one, the others on one line each.
    """
    results, written = settings.results, []
    whole = {report.name for report in reports if {report.exhibit.name, report.name} & set(in_full)}
    if len(reports) > 1:
        click.echo(overview(reports, [report for report in reports if report.name not in whole]))
    for report in reports:
        if report.name in whole or len(reports) == 1:
            click.echo(terminal(report))
    for report in reports:
        written += write(report, [name for name in formats if name in WRITERS], results)
    click.echo(claims_list.verdicts(reports))
    if any(report.claim_results for report in reports):
        click.echo(claims_list.summary(reports))
    drawn = _drawn(settings, reports, pictures) if pictures else []
    for folder, names in _by_folder(written + drawn).items():
        settings.echo(f"wrote {', '.join(names) if len(names) <= MOST_NAMES else f'{len(names)} files'} to {folder}")
    _write_together(settings, reports, formats, drawn)


def serve(
    settings: Settings,
    papers: Collection[str],
    build: Callable[[], Sequence[ExhibitReport]],
    port: int,
    figures: bool,
) -> int:
    """Serve the page until Ctrl-C, and return the exit code."""
    from harness.live.live_page import LivePage
    from harness.live.server import PageServer

    if len(papers) > 1:
        raise SpecError(f"--serve shows one paper: give one of {', '.join(sorted(papers))}")
    try:
        server = PageServer(LivePage(build, settings.results, figures), port)
        click.echo(f"{server.url} (this machine only; Ctrl-C stops it)")
        server.serve()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return 0


def _drawn(settings: Settings, reports: Sequence[ExhibitReport], pictures: ParallelRenderer) -> list[Path]:
    """Return the pictures of all exhibits; print the reason for each exhibit that cannot be drawn."""
    console = Console(file=streams.terminal(sys.stderr))
    drawn: list[Path] = []
    hidden = settings.quiet or not console.is_terminal
    for report in track(reports, "drawing", console=console, transient=True, disable=hidden):
        try:
            drawn += pictures.paths(report)
        except StoreError as error:
            click.echo(f"{report.name} is not drawn: {error}", err=True)
    return drawn


def _by_folder(paths: Sequence[Path]) -> dict[Path, list[str]]:
    """Return file names by folder."""
    found: dict[Path, list[str]] = {}
    for path in paths:
        found.setdefault(path.parent, []).append(path.name)
    return found


def _write_together(
    settings: Settings, reports: Sequence[ExhibitReport], formats: Sequence[str], drawn: Sequence[Path]
) -> None:
    """Write the files on all exhibits: the list of claims, the document and its PDF, the page."""
    if "markdown" in formats:
        write_claims(reports, settings.results)
    typesetting: dict[Path, Future[Typeset]] = {}
    with ThreadPoolExecutor() as executor:  # TeX runs in its own process while the page is written
        if "latex" in formats:
            for paper in {report.paper.name: report.paper for report in reports}.values():
                of_paper = [report for report in reports if report.paper.name == paper.name]
                source = write_document(paper, of_paper, settings.results)
                if "pdf" in formats:
                    typesetting[source] = executor.submit(write_pdf, source, of_paper)
                else:
                    settings.echo(f"{source}: the report as one document")
        if "html" in formats:
            for path in write_pages(reports, settings.results, drawn):
                settings.echo(f"{path}: the report, for a browser")
    for source, future in typesetting.items():
        made = future.result()
        settings.echo(f"{made.pdf or source}: the report as one document")
        if made.problem:
            click.echo(made.problem, err=True)
