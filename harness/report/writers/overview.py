"""The overview of several exhibits on the terminal: the answers of their papers, then a line for each exhibit."""

from collections.abc import Sequence
from textwrap import shorten

from tabulate import tabulate

from harness.report.results.report import ExhibitReport
from harness.report.writers import claims_list, wording
from harness.report.writers.answer import answers, brief_answer, by_paper
from harness.report.writers.rechecked_text import recheck_notes
from harness.report.writers.text_markdown import paragraph

TITLE_WIDTH = 34


def overview(reports: Sequence[ExhibitReport], listed: Sequence[ExhibitReport]) -> str:
    """Return the answer of every paper, the claims of its abstract, and a line for each of the `listed` exhibits.

    Numbers of these that a recheck denies follow.
    """
    parts: list[str] = []
    for says, of_paper in zip(answers(reports), by_paper(reports).values(), strict=True):
        parts += [paragraph(says), *claims_list.abstract_lines(of_paper), ""]
    denied = [paragraph(f"{report.exhibit.name}: {note}") for report in listed for note in recheck_notes(report)]
    return "\n".join([*parts, *([_table(listed), *denied, ""] if listed else [])])


def _table(reports: Sequence[ExhibitReport]) -> str:
    several = len(by_paper(reports)) > 1
    lines = [
        (
            report.name if several else report.exhibit.name,
            shorten(wording.subject(report), TITLE_WIDTH, placeholder=" ..."),
            f"{report.measured} of {report.wanted}",
            brief_answer(report),
        )
        for report in reports
    ]
    return tabulate(lines, ["exhibit", "title", "measured", "answer"], tablefmt="simple", disable_numparse=True)
