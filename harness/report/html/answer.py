"""The answer first on the page: the sentence, with its commands as code, and the claims of the abstract."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from harness.report.html.symbols import MARKS, Mark
from harness.report.results.report import ExhibitReport
from harness.report.writers.answer import answers, exhibit_answer, formatted
from harness.report.writers.claims_list import of_abstract
from harness.report.writers.wording import heading


@dataclass(frozen=True)
class AbstractClaim:
    """A claim of the abstract with its mark, and the exhibit that decides it."""

    mark: Mark
    says: str
    exhibit: str
    heading: str


def page_answers(reports: Sequence[ExhibitReport]) -> tuple[Markup, ...]:
    """Return the answers of a page as HTML."""
    return tuple(map(_html, answers(reports)))


def answer(report: ExhibitReport) -> Markup:
    """Return the answer of an exhibit as HTML."""
    return _html(exhibit_answer(report))


def abstract_claims(reports: Sequence[ExhibitReport]) -> tuple[AbstractClaim, ...]:
    """Return the claims of the abstract, failing ones first."""
    return tuple(
        AbstractClaim(MARKS[result.status], result.claim.says, report.exhibit.name, heading(report))
        for report, result in of_abstract(reports)
    )


def _html(text: str) -> Markup:
    # Both parts are escaped.
    return Markup(formatted(text, lambda part: str(escape(part)), lambda part: f"<code>{escape(part)}</code>"))  # noqa: S704
