"""The answer first, in LaTeX: its commands are in typewriter type."""

from harness.report.latex.escape import tex
from harness.report.writers.answer import formatted


def answer(text: str) -> str:
    """Return an answer as LaTeX."""
    return formatted(text, _words, lambda command: f"\\texttt{{{tex(command)}}}")


def _words(part: str) -> str:
    """Return words between commands as LaTeX, with the spaces at their ends."""
    inner = tex(part)
    before, after = " " * (part[:1] == " "), " " * (part[-1:] == " " and bool(inner))
    return f"{before}{inner}{after}"
