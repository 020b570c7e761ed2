"""Renders the page: its parts from templates, its data as JSON, and its content security policy."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness import __version__
from harness.report.html.answer import answer
from harness.report.html.claims_list import claims_view
from harness.report.html.run_index import MOST_RUNS, MOST_SEEDS, RunIndex
from harness.report.html.summary import summary
from harness.report.html.symbols import MARKS
from harness.report.html.tables import tables
from harness.report.html.values import PageValues
from harness.report.results.report import ExhibitReport
from harness.report.writers import between_rows, exhibit_notes, wording
from harness.store.results import Results


@dataclass(frozen=True)
class Picture:
    """A picture of an exhibit: its alt text, its size in CSS pixels, and the SVG as a data URI."""

    alt: str
    width: int
    height: int
    src: str


@dataclass(frozen=True)
class Contents:
    """The parts of a page as HTML by id, in order, with the data for its script and the index of its runs."""

    title: str
    origin: str
    parts: dict[str, Markup]
    entries: tuple[tuple[str, str, str], ...]
    values: dict[str, Any]
    run_index: RunIndex


def contents(reports: Sequence[ExhibitReport], results: Results, pictures: Mapping[str, Sequence[Picture]]) -> Contents:
    """Return the parts of the page of one paper's exhibits; `pictures` maps exhibit names to their pictures."""
    templates, run_index, values = environment(), RunIndex(reports), PageValues(results)
    parts = {
        "summary": _render(templates, "summary", view=summary(reports, run_index), marks=MARKS.values()),
        "claims": _render(templates, "claims", view=claims_view(reports)),
    }
    for report in reports:
        values.add(report)
        agreement = between_rows.rank_agreement(report) if report.agreements else ""
        parts[report.exhibit.name] = _render(
            templates,
            "exhibit",
            report=report,
            heading=wording.heading(report),
            answer=answer(report),
            subject=wording.subject(report),
            tables=list(tables(report)),
            agreement=agreement,
            notes=[
                note
                for note in (*exhibit_notes.notes(report), between_rows.bold(report))
                if note not in ("", agreement)
            ],
            pictures=pictures.get(report.exhibit.name, ()),
        )
    parts["runs"] = _render(
        templates, "runs", groups=list(run_index.groups.values()), limits={"runs": MOST_RUNS, "seeds": MOST_SEEDS}
    )
    entries = tuple((report.exhibit.name, wording.heading(report), wording.subject(report)) for report in reports)
    return Contents(reports[0].paper.title, reports[0].origin, parts, entries, values.to_json(), run_index)


def page(content: Contents, details: Mapping[str, Any] | None) -> str:
    """Return the whole page: with the `details` of runs embedded, or the live page if `details` is None."""
    live = details is None
    style, script = _code(live)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            content=content,
            details=details,
            live=live,
            style=Markup(style),  # noqa: S704 (the project's own files)
            script=Markup(script),  # noqa: S704
            policy=policy(style, script, live),
            version=__version__,
        )
    )


def policy(style: str, script: str, live: bool) -> str:
    """Return the content security policy: this style, this script and embedded images, nothing from elsewhere."""
    rules = [
        "default-src 'none'",
        "img-src data:",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules + (["connect-src 'self'"] if live else []))


def live_policy() -> str:
    """Return the content security policy of the live page."""
    return policy(*_code(live=True), live=True)


def _code(live: bool) -> tuple[str, str]:
    """Return the style sheet and the script of the page."""
    return source("page.css"), source("page.js") + (source("live.js") if live else "")


@cache
def source(name: str) -> str:
    """Return a style sheet or a script of this package, stripped, with one newline at the end."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip() + "\n"


@cache
def environment() -> Environment:
    """Return the Jinja environment; everything that templates print is escaped."""
    templates = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False, "allow_nan": False}
    return templates


def _render(templates: Environment, name: str, **values: Any) -> Markup:
    return Markup(templates.get_template(f"{name}.html.j2").render(**values))  # noqa: S704 (escaped by the template)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
