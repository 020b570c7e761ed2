"""The answer first, in LaTeX: as text with its commands in typewriter type, and as a comment."""

from harness.report.latex.escape import tex
from harness.report.results.report import ExhibitReport
from harness.report.writers.answer import exhibit_answer, formatted


def answer(text: str) -> str:
    """Return an answer as LaTeX."""
    return formatted(text, _words, lambda command: f"\\texttt{{{tex(command)}}}")


def comment(report: ExhibitReport) -> str:
    """Return the answer of an exhibit as a line of comment: its .tex file may be input into somebody's paper."""
    return f"% {' '.join(exhibit_answer(report).split())}"


def _words(part: str) -> str:
    """Return words between commands as LaTeX, with the spaces at their ends."""
    inner = tex(part)
    before, after = " " * (part[:1] == " "), " " * (part[-1:] == " " and bool(inner))
    return f"{before}{inner}{after}"
